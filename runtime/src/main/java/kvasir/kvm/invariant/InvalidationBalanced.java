package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.Vm;

/** I6: begins and ends of invalidations pair up. */
final class InvalidationBalanced implements LocalInvariant {
    @Override
    public String name() {
        return "invalidation_balanced";
    }

    @Override
    public String statement() {
        return "mmu_invalidate_in_progress is never negative, and 0 when no notifier is active and slots_lock is free.";
    }

    @Override
    public Optional<String> violation(Vm vm, Touched touched) {
        return violation(vm);
    }

    @Override
    public Optional<String> violation(Vm vm) {
        int inProgress = vm.invalidate().inProgress();
        boolean idle = vm.invalidate().activeNotifiers() == 0
                && !vm.slotsLock().held()
                && vm.gmems().isEmpty();
        return inProgress < 0 || inProgress > 0 && idle ? Optional.of("it is " + inProgress) : Optional.empty();
    }
}
