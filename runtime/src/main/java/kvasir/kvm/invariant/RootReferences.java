package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.TdpMmu;

/** Nobody runs on a root that could be freed. */
final class RootReferences implements LocalInvariant {
    @Override
    public String name() {
        return "root_references";
    }

    @Override
    public String statement() {
        return "A root has a reference for each vCPU that has it loaded, and one more until it has been zapped.";
    }

    @Override
    public Optional<String> violation(Vm vm, Touched touched) {
        return violation(vm);
    }

    @Override
    public Optional<String> violation(Vm vm) {
        return ((TdpMmu) vm.mmu()).rootReferencesAreEnough() ? Optional.empty() : Optional.of("one has fewer");
    }
}
