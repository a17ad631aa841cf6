package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.Vm;

/** A sentence about each present leaf outside the invalidation window. All of them are judged in one walk. */
interface LeafInvariant extends Invariant {
    /** Who judges the leaves of {@code vm} as it is now; empty if the sentence says nothing of it. */
    Optional<Mappings.Judge> judge(Vm vm);

    @Override
    default Optional<String> violation(Vm vm) {
        return judge(vm).flatMap(judge -> Mappings.firstComplaint(vm, judge));
    }
}
