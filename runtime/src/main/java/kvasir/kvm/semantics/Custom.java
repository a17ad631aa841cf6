package kvasir.kvm.semantics;

import java.util.Optional;
import kvasir.kvm.KernelVersion;
import kvasir.kvm.mmu.MmuRule;

/** A semantics that a script has put together. */
final class Custom extends Semantics {
    private final Semantics base;
    private final Optional<MmuRule> broken;

    Custom(String name, Semantics base, KernelVersion kernel, Policies policies, Optional<MmuRule> broken) {
        super(name, kernel, policies);
        this.base = base;
        this.broken = broken;
    }

    @Override
    Optional<MmuRule> broken() {
        return broken;
    }

    @Override
    public String doc() {
        return base.name() + " with other policies";
    }
}
