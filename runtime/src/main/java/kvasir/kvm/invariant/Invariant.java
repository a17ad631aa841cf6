package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.Vm;

/** One sentence about a VM that must hold whenever nobody holds mmu_lock. */
public interface Invariant {
    /** One word for messages: {@code huge_leaf_fits}. */
    String name();

    /** The sentence. */
    String statement();

    /** What breaks it anywhere in {@code vm}, if anything does. */
    Optional<String> violation(Vm vm);
}
