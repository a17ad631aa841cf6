package kvasir.metal.tdx;

import kvasir.metal.memory.PhysicalMemory;

/** Visits every entry of a secure EPT that refers to a page or a table, in order of addresses, tables before their content. */
public final class SeptScan {
    private static final int ENTRIES = 512;

    private SeptScan() {}

    /** Looks at one entry. */
    @FunctionalInterface
    public interface Visitor {
        /**
         * @param gpa first address the entry translates
         * @param level of the entry
         * @param raw its 8 bytes
         */
        void visit(long gpa, int level, long raw);
    }

    public static void visit(Tdcs tdcs, Visitor visitor) {
        visit(tdcs, 0, Long.MAX_VALUE, visitor);
    }

    /** Only the entries that cover an address of {@code [from, to)}. */
    public static void visit(Tdcs tdcs, long from, long to, Visitor visitor) {
        new Walk(tdcs.memory(), from, to, visitor).table(tdcs.septRoot(), 0, tdcs.topLevel());
    }

    private record Walk(PhysicalMemory memory, long from, long to, Visitor visitor) {
        void table(long table, long start, int level) {
            long bytes = Pamt.bytes(level);
            int first = Math.clamp((from - start) / bytes, 0, ENTRIES);
            for (int i = first; i < ENTRIES && start + i * bytes < to; i++) {
                long raw = memory.read64(table + 8L * i);
                SeptState state = SeptEntry.state(raw);
                if (!state.present()) {
                    continue;
                }
                long gpa = start + i * bytes;
                visitor.visit(gpa, level, raw);
                if (!state.leaf() && level > 0) {
                    table(SeptEntry.hpa(raw), gpa, level - 1);
                }
            }
        }
    }
}
