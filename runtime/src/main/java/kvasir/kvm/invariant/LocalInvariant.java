package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.Vm;

/** A sentence that can be judged by what an event touched, without a look at all the rest. */
interface LocalInvariant extends Invariant {
    /** What breaks it where {@code vm} was touched, if anything does. */
    Optional<String> violation(Vm vm, Touched touched);
}
