package kvasir.kvm.invariant;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongToIntFunction;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.Spte;
import kvasir.kvm.mmu.TdpMmu;

/** I8: page-table memory is in one place, and not given back while it is in use. */
final class TableHasOneParent implements LocalInvariant {
    @Override
    public String name() {
        return "table_has_one_parent";
    }

    @Override
    public String statement() {
        return "Every table page hangs under exactly one entry, and is not freed while it does.";
    }

    @Override
    public Optional<String> violation(Vm vm) {
        Map<Long, Integer> parents = new HashMap<>();
        return firstWrong(vm, 0, Long.MAX_VALUE, child -> parents.merge(child, 1, Integer::sum));
    }

    @Override
    public Optional<String> violation(Vm vm, Touched touched) {
        return touched.gfns().stream()
                .flatMap(run -> firstWrong(vm, run.start(), run.end(), touched::parents).stream())
                .findFirst();
    }

    /** @param parents how many entries point to a table, as far as is known when it is met */
    private static Optional<String> firstWrong(Vm vm, long start, long end, LongToIntFunction parents) {
        var mmu = (TdpMmu) vm.mmu();
        var found = new ArrayList<String>();
        mmu.visitEntries(start, end, (tree, gfn, level, table, spte) -> {
            if (Spte.isPresentTable(spte, level)) {
                long child = Spte.pfn(spte);
                boolean shared = parents.applyAsInt(child) > 1;
                if (shared || mmu.isFreed(child)) {
                    found.add("the table 0x%x under %s[0x%x] %s"
                            .formatted(
                                    child << 12,
                                    tree.space(),
                                    gfn << 12,
                                    shared ? "hangs elsewhere too" : "waits to be freed"));
                }
            }
        });
        return found.stream().findFirst();
    }
}
