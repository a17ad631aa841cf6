package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.Tdcs;
import kvasir.metal.tdx.VcpuState;

/** Associations and epoch references are those of the vCPUs. */
final class VcpusCounted extends TdInvariant {
    @Override
    public String name() {
        return "vcpus_counted";
    }

    @Override
    public String statement() {
        return "NUM_ASSOC_VCPUS counts associated vCPUs and the REFCOUNTs those inside:";
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs) {
        long associated =
                td.vcpuStates().stream().filter(vcpu -> vcpu.assocLpid() >= 0).count();
        long inside = td.vcpuStates().stream()
                .filter(vcpu -> vcpu.state() == VcpuState.VCPU_ACTIVE)
                .count();
        if (associated != tdcs.numAssocVcpus()) {
            return Optional.of("%d are associated, NUM_ASSOC_VCPUS is %d".formatted(associated, tdcs.numAssocVcpus()));
        }
        int references = tdcs.refcount(0) + tdcs.refcount(1);
        return references == inside
                ? Optional.empty()
                : Optional.of("%d are inside, the REFCOUNTs say %d".formatted(inside, references));
    }
}
