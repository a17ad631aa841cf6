package kvasir.kvm.invariant;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.Spte;
import kvasir.kvm.mmu.TdpMmu;

/** I8: page-table memory is in one place, and not given back while it is in use. */
final class TableHasOneParent implements Invariant {
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
        var mmu = (TdpMmu) vm.mmu();
        Map<Long, Long> parents = new HashMap<>();
        var found = new ArrayList<String>();
        mmu.visitEntries((tree, gfn, level, table, spte) -> {
            if (Spte.isPresentTable(spte, level)) {
                long child = Spte.pfn(spte);
                Long other = parents.put(child, gfn);
                if (other != null || mmu.isFreed(child)) {
                    found.add("the table 0x%x under %s[0x%x] %s"
                            .formatted(
                                    child << 12,
                                    tree.space(),
                                    gfn << 12,
                                    other != null ? "hangs elsewhere too" : "waits to be freed"));
                }
            }
        });
        return found.stream().findFirst();
    }
}
