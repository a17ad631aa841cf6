package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.event.Event;
import kvasir.kvm.mmu.MmuEvent;
import kvasir.kvm.mmu.Spte;

/** I4, told from the stream of events. */
final class LeafKeepsPfn {
    String statement() {
        return "A present leaf never changes its pfn without having been non-present";
    }

    Optional<String> violation(Event event) {
        return event instanceof MmuEvent.SpteChanged change
                        && Spte.isPresentLeaf(change.oldSpte(), change.level())
                        && Spte.isPresentLeaf(change.newSpte(), change.level())
                        && Spte.pfn(change.oldSpte()) != Spte.pfn(change.newSpte())
                ? Optional.of(change.describe())
                : Optional.empty();
    }
}
