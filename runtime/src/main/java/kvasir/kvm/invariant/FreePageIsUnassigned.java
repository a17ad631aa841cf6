package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.snp.RmpEntry;

/** No page that the allocator holds is assigned. */
final class FreePageIsUnassigned extends RmpInvariant {
    @Override
    public String name() {
        return "free_page_is_unassigned";
    }

    @Override
    public String statement() {
        return "No page goes back to the host's allocator while it is assigned:";
    }

    @Override
    Optional<String> judge(SnpVm snp, long spa, RmpEntry entry) {
        return entry.assigned() && snp.host().pages().isFree(spa >>> 12) ? Optional.of("is free") : Optional.empty();
    }
}
