package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.snp.SnpVm;

/** No page that the allocator holds is assigned. */
final class FreePageIsUnassigned extends SnpInvariant {
    @Override
    public String name() {
        return "free_page_is_unassigned";
    }

    @Override
    public String statement() {
        return "No page goes back to the host's allocator while it is assigned:";
    }

    @Override
    Optional<String> violation(SnpVm snp) {
        return firstEntry(
                snp.host().rmp(),
                (spa, entry) -> entry.assigned() && snp.host().pages().isFree(spa >>> 12)
                        ? Optional.of("is free")
                        : Optional.empty());
    }
}
