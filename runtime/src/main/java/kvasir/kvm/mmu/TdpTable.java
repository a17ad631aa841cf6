package kvasir.kvm.mmu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import kvasir.event.Topic;
import kvasir.kvm.Memslot;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.registry.Range;

/** What a script sees of one tree: {@code vm.ept}, {@code vm.npt}, {@code td.mirror}. It reads the bytes when asked. */
public final class TdpTable implements Described {
    /** What scripts may do with it. */
    public static final Api<TdpTable> API = Api.of(
                    "table", TdpTable.class, "Second-stage page tables of a VM, as the processor reads them.")
            .operation(
                    "walk",
                    List.of(Api.Parameter.of("gpa", Api.Kind.U64, "bytes", "address to walk to")),
                    "Every entry on the way to an address, from the root down, with its raw value and decoded bits.",
                    "plain.ept.walk 0x1000",
                    (table, arguments) -> table.walk(arguments.u64("gpa")))
            .property(
                    "root",
                    "u64",
                    "Host address of the root; 0 if none is loaded.",
                    "plain.ept.root",
                    t -> t.root().pfn << 12)
            .property("levels", "u64", "4 or 5; 0 if no root is loaded.", "plain.ept.levels", t ->
                    (long) t.root().level())
            .property("role", "u64", "The root's role word.", "plain.ept.role", t ->
                    (long) t.root().role.word())
            .property("pointer", "u64", "EPTP or nCR3.", "plain.ept.pointer", TdpTable::pointer)
            .property(
                    "leaves",
                    "list of spte",
                    "Entries that map memory, in order.",
                    "plain.ept.leaves",
                    TdpTable::leaves)
            .property("leaf_count", "u64", "How many entries map memory.", "plain.ept.leaf_count", TdpTable::leafCount)
            .property(
                    "tables",
                    "u64",
                    "Table pages of this tree, the root included.",
                    "plain.ept.tables",
                    TdpTable::tables)
            .property("mapped", "u64", "Bytes mapped.", "plain.ept.mapped", TdpTable::mapped)
            .property("tree", "string", "The tables drawn as a tree.", "show plain.ept.tree", TdpTable::tree)
            .index(
                    "The lowest entry that covers an address; for a range, all of them.",
                    "plain.ept[0x1000]",
                    (table, key) -> key instanceof Range range ? table.range(range) : table.entry((Long) key))
            .build();

    private final TdpMmu mmu;
    private final Supplier<Root> source;
    private final String label;

    TdpTable(TdpMmu mmu, Supplier<Root> source, String label) {
        this.mmu = mmu;
        this.source = source;
        this.label = label;
    }

    /** Looks at one entry. */
    @FunctionalInterface
    private interface Visitor {
        void visit(TdpIterator at);
    }

    private Root root() {
        return source.get();
    }

    private long pointer() {
        Root root = root();
        return root.exists() ? mmu.format().pointer(root.pfn, root.level()) : 0;
    }

    private TdpEntry entryAt(TdpIterator at) {
        return new TdpEntry(
                "%s[0x%x]".formatted(label, at.gfn << 12),
                mmu.format(),
                at.root.space,
                at.gfn,
                at.level,
                at.sptep,
                at.oldSpte);
    }

    /** The lowest entry that covers {@code gpa}. */
    public TdpEntry entry(long gpa) {
        List<TdpEntry> path = path(gpa);
        if (path.isEmpty()) {
            return new TdpEntry("%s[0x%x]".formatted(label, gpa), mmu.format(), label, gpa >>> 12, 1, 0, Spte.EMPTY);
        }
        TdpEntry last = path.getLast();
        return new TdpEntry(
                "%s[0x%x]".formatted(label, gpa),
                mmu.format(),
                root().space,
                last.gfn,
                last.level,
                last.sptep,
                last.raw);
    }

    private List<TdpEntry> path(long gpa) {
        var path = new ArrayList<TdpEntry>();
        Root root = root();
        if (root.exists()) {
            var iterator = new TdpIterator(mmu.memory);
            iterator.start(root, Level.PG_4K, gpa >>> 12);
            path.add(entryAt(iterator));
            while (Spte.isPresentTable(iterator.oldSpte, iterator.level)) {
                iterator.next();
                path.add(entryAt(iterator));
            }
        }
        return path;
    }

    private List<Map<String, Object>> walk(long gpa) {
        return path(gpa).stream().map(TdpEntry::bits).toList();
    }

    private TdpRange range(Range range) {
        var entries = new ArrayList<TdpEntry>();
        visit(range.start() >>> 12, (range.end() + 4095) >>> 12, at -> {
            if (!Spte.isPresentTable(at.oldSpte, at.level)) {
                entries.add(entryAt(at));
            }
        });
        return new TdpRange(
                "%s[0x%x .. 0x%x]".formatted(label, range.start(), range.end()), root().space, range, entries);
    }

    private void visit(long start, long end, Visitor visitor) {
        Root root = root();
        if (!root.exists()) {
            return;
        }
        var iterator = new TdpIterator(mmu.memory);
        for (iterator.start(root, Level.PG_4K, start); iterator.valid && iterator.gfn < end; iterator.next()) {
            visitor.visit(iterator);
        }
    }

    private void visitAll(Visitor visitor) {
        visit(0, Long.MAX_VALUE, visitor);
    }

    private List<TdpEntry> leaves() {
        var leaves = new ArrayList<TdpEntry>();
        visitAll(at -> {
            if (Spte.isPresentLeaf(at.oldSpte, at.level)) {
                leaves.add(entryAt(at));
            }
        });
        return leaves;
    }

    private long leafCount() {
        long[] count = new long[1];
        visitAll(at -> count[0] += Spte.isPresentLeaf(at.oldSpte, at.level) ? 1 : 0);
        return count[0];
    }

    private long mapped() {
        long[] bytes = new long[1];
        visitAll(at -> bytes[0] += Spte.isPresentLeaf(at.oldSpte, at.level) ? Level.bytes(at.level) : 0);
        return bytes[0];
    }

    private long tables() {
        long[] count = {root().exists() ? 1 : 0};
        if (count[0] != 0) {
            var iterator = new TdpIterator(mmu.memory);
            for (iterator.start(root(), Level.PG_2M, 0); iterator.valid; iterator.next()) {
                count[0] += Spte.isPresentTable(iterator.oldSpte, iterator.level) ? 1 : 0;
            }
        }
        return count[0];
    }

    /** Runs of equal leaves, one a line: {@code 0x00000000..0x00400000  2M  rwx wb  slot0+0}. */
    private String ranges() {
        var lines = new ArrayList<String>();
        var open = new LinkedHashMap<String, long[]>();
        visitAll(at -> {
            TdpEntry entry = entryAt(at);
            if (!entry.leaf() && !entry.mmio() && !Spte.isFrozen(entry.raw)) {
                return;
            }
            long start = entry.gfn << 12;
            long end = start + Level.bytes(entry.level);
            String look = look(entry);
            long[] run = open.get(look);
            if (run != null && run[1] == start) {
                run[1] = end;
                return;
            }
            flush(open, lines);
            open.put(look, new long[] {start, end});
        });
        flush(open, lines);
        return String.join("\n", lines);
    }

    private void flush(Map<String, long[]> open, List<String> lines) {
        open.forEach((look, run) ->
                lines.add("0x%08x..0x%08x  %s%s".formatted(run[0], run[1], look, slotOffset(run[0] >>> 12))));
        open.clear();
    }

    private String look(TdpEntry entry) {
        if (!entry.leaf()) {
            return Level.name(entry.level) + "  " + entry.describe();
        }
        Memslot slot = slotOf(entry.gfn);
        return "%s  %s %s  %s"
                .formatted(
                        Level.name(entry.level),
                        entry.permissions(),
                        entry.memoryType(),
                        slot.exists() ? "slot" + slot.id() : "no slot");
    }

    private Memslot slotOf(long gfn) {
        return mmu.vm.memslots(root().role.addressSpace()).lookup(gfn);
    }

    /** {@code +0x2000}: where in its slot a run starts. */
    private String slotOffset(long gfn) {
        Memslot slot = slotOf(gfn);
        long offset = (gfn - slot.baseGfn()) << 12;
        return !slot.exists() ? "" : offset == 0 ? "+0" : "+0x" + Long.toHexString(offset);
    }

    /** The tables as a tree; runs of equal children are one line. */
    private String tree() {
        var text = new StringBuilder();
        Root root = root();
        if (!root.exists()) {
            return "no root";
        }
        text.append("root 0x%x  %d levels  role %08x".formatted(root.pfn << 12, root.level(), root.role.word()));
        var pending = new TreeRun();
        visitAll(at -> {
            TdpEntry entry = entryAt(at);
            if (entry.raw == Spte.EMPTY) {
                return;
            }
            if (!pending.continues(entry)) {
                pending.print(text, root.level());
                pending.begin(entry);
            }
        });
        pending.print(text, root.level());
        return text.toString();
    }

    /** Leaves of one table with equal bits, of consecutive frames or all of one (the zero page). */
    private static final class TreeRun {
        private Optional<TdpEntry> first = Optional.empty();
        private int count;
        private long last;

        boolean continues(TdpEntry entry) {
            if (first.isEmpty() || !entry.leaf()) {
                return false;
            }
            TdpEntry start = first.get();
            boolean neighbour = start.leaf() && entry.level == start.level && entry.sptep == start.sptep + 8L * count;
            long step = Level.bytes(start.level);
            boolean same = neighbour
                    && (count == 1
                            ? entry.raw == start.raw + step || entry.raw == start.raw
                            : entry.raw == last + (last - start.raw) / (count - 1));
            if (same) {
                count++;
                last = entry.raw;
            }
            return same;
        }

        void begin(TdpEntry entry) {
            first = Optional.of(entry);
            count = 1;
            last = entry.raw;
        }

        void print(StringBuilder text, int rootLevel) {
            first.ifPresent(entry -> {
                int index = Level.index(entry.gfn, entry.level);
                String place = count > 1 ? "[%d..%d]".formatted(index, index + count - 1) : "[%d]".formatted(index);
                text.append('\n')
                        .append(entry.described("%s%s  0x%08x  %s  0x%016x"
                                .formatted(
                                        "  ".repeat(rootLevel - entry.level + 1),
                                        place,
                                        entry.gfn << 12,
                                        Level.name(entry.level),
                                        entry.raw)));
            });
            first = Optional.empty();
        }
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return label;
    }

    @Override
    public Topic topic() {
        return new Topic(root().exists() ? root().space : label, 0, 0);
    }

    @Override
    public Optional<String> picture() {
        return Optional.of(ranges());
    }
}
