package kvasir.vmm;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.event.Topic;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.SeptState;
import kvasir.metal.tdx.SeptWalk;
import kvasir.metal.tdx.Tdcs;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.registry.Range;
import kvasir.registry.State;

/** {@code td.sept}, the secure EPT: read from its bytes when asked. */
final class SeptView implements Described {
    static final Api<SeptView> API = Api.of("sept", SeptView.class, "The secure EPT of a TD.")
            .property(
                    "leaves",
                    "list of sept entry",
                    "Entries that hold a page, in order.",
                    "td.sept.leaves",
                    s -> s.leaves(0, s.limit()))
            .property(
                    "mapped",
                    "u64",
                    "Bytes in state MAPPED.",
                    "assert td.sept.mapped == 2M",
                    s -> s.leaves(0, s.limit()).stream()
                            .filter(cell -> cell.walk.state() == SeptState.MAPPED)
                            .mapToLong(cell -> cell.end() - cell.gpa)
                            .sum())
            .property(
                    "tables",
                    "u64",
                    "Table pages, the root not counted: pages of type PT_EPT.",
                    "show td.sept.tables",
                    SeptView::tables)
            .index(
                    "The lowest entry that covers an address: FREE, MAPPED, PENDING, BLOCKED ...; of a range its state "
                            + "if all entries have the same, else MIXED.",
                    "assert td.sept[0 .. 2M] is MAPPED",
                    (s, key) -> key instanceof Range range ? s.range(range) : s.cell((Long) key))
            .build();

    private final Machine machine;
    private final TdxVm td;

    SeptView(Machine machine, TdxVm td) {
        this.machine = machine;
        this.td = td;
    }

    private Optional<Tdcs> tdcs() {
        return td.root().filter(root -> root.hasTdcs()).map(root -> root.tdcs());
    }

    private long limit() {
        return tdcs().map(Tdcs::sharedBit).orElse(0L);
    }

    SeptCell cell(long gpa) {
        SeptWalk walk = tdcs().map(tdcs -> SeptWalk.to(machine.memory(), tdcs, gpa & tdcs.sharedBit() - 1, 0))
                .orElseGet(() -> new SeptWalk(0, 0, 0x80E0_0000_0000_0000L));
        return new SeptCell(label(), walk, gpa);
    }

    private List<SeptCell> cells(long start, long end) {
        var cells = new ArrayList<SeptCell>();
        for (long gpa = start; gpa < end; gpa = cells.getLast().end()) {
            cells.add(cell(gpa));
        }
        return cells;
    }

    private List<SeptCell> leaves(long start, long end) {
        var leaves = new ArrayList<SeptCell>();
        for (long gpa = start; gpa < end; ) {
            SeptCell cell = cell(gpa);
            if (cell.walk.state().leaf()) {
                leaves.add(cell);
            }
            gpa = cell.end();
        }
        return leaves;
    }

    private Described range(Range range) {
        List<SeptCell> cells = cells(range.start(), range.end());
        boolean uniform =
                cells.stream().map(cell -> cell.walk.state()).distinct().count() <= 1;
        State state = cells.isEmpty()
                ? new State("EMPTY", List.of(), java.util.Map.of())
                : uniform ? cells.getFirst().state().orElseThrow() : new State("MIXED", List.of(), java.util.Map.of());
        String label = "%s[0x%x .. 0x%x]".formatted(label(), range.start(), range.end());
        return new Cell(label, new Topic(label(), range.start(), range.end()), state);
    }

    private long tables() {
        return tdcs().map(tdcs -> tablesUnder(tdcs, 0, tdcs.topLevel(), limit()))
                .orElse(0L);
    }

    private long tablesUnder(Tdcs tdcs, long start, int level, long end) {
        if (level == 0) {
            return 0;
        }
        long count = 0;
        long bytes = SeptCell.bytes(level);
        for (int i = 0; i < 512 && start + i * bytes < end; i++) {
            SeptState state = SeptWalk.to(machine.memory(), tdcs, start + i * bytes, level)
                    .state();
            if (state == SeptState.NL_MAPPED || state == SeptState.NL_BLOCKED) {
                count += 1 + (state == SeptState.NL_MAPPED ? tablesUnder(tdcs, start + i * bytes, level - 1, end) : 0);
            }
        }
        return count;
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return td.vm().name() + ".sept";
    }

    @Override
    public Topic topic() {
        return new Topic(label(), 0, 0);
    }

    /** Runs of leaves in one state, one a line: {@code 0x00000000..0x00200000  4K  MAPPED}. */
    @Override
    public Optional<String> picture() {
        var lines = new ArrayList<String>();
        long start = 0;
        long end = -1;
        String look = "";
        for (SeptCell cell : leaves(0, limit())) {
            String next = Text.size(SeptCell.bytes(cell.walk.level())) + "  "
                    + cell.walk.state().name();
            if (cell.gpa != end || !next.equals(look)) {
                if (end >= 0) {
                    lines.add(Text.range(start, end) + "  " + look);
                }
                start = cell.gpa;
                look = next;
            }
            end = cell.end();
        }
        if (end >= 0) {
            lines.add(Text.range(start, end) + "  " + look);
        }
        return Optional.of(lines.isEmpty() ? "no leaf" : String.join("\n", lines));
    }
}
