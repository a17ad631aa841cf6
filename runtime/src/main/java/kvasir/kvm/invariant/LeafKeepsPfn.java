package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.event.Event;
import kvasir.kvm.mmu.MmuEvent;
import kvasir.kvm.mmu.Spte;

/** I4: a page is unmapped before another takes its place. */
final class LeafKeepsPfn implements StreamInvariant {
    @Override
    public String name() {
        return "leaf_keeps_pfn";
    }

    @Override
    public String statement() {
        return "A present leaf never changes its pfn without having been non-present.";
    }

    @Override
    public Optional<String> violation(Event event) {
        return event instanceof MmuEvent.SpteChanged change
                        && Spte.isPresentLeaf(change.oldSpte(), change.level())
                        && Spte.isPresentLeaf(change.newSpte(), change.level())
                        && Spte.pfn(change.oldSpte()) != Spte.pfn(change.newSpte())
                ? Optional.of(change.describe())
                : Optional.empty();
    }
}
