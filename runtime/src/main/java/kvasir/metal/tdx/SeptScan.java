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
        table(tdcs.memory(), tdcs.septRoot(), 0, tdcs.topLevel(), visitor);
    }

    private static void table(PhysicalMemory memory, long table, long start, int level, Visitor visitor) {
        for (int i = 0; i < ENTRIES; i++) {
            long raw = memory.read64(table + 8L * i);
            SeptState state = SeptEntry.state(raw);
            if (!state.present()) {
                continue;
            }
            long gpa = start + i * Pamt.bytes(level);
            visitor.visit(gpa, level, raw);
            if (!state.leaf() && level > 0) {
                table(memory, SeptEntry.hpa(raw), gpa, level - 1, visitor);
            }
        }
    }
}
