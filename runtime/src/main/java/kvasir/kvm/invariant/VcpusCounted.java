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
        return "NUM_ASSOC_VCPUS counts associated vCPUs, the REFCOUNTs those inside, and these entered in this epoch or the "
                + "last:";
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs, Touched touched) {
        return touched.module() ? violation(td, tdcs) : Optional.empty();
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
                ? td.vcpuStates().stream()
                        .filter(vcpu -> vcpu.state() == VcpuState.VCPU_ACTIVE)
                        .filter(vcpu -> vcpu.vcpuEpoch() != tdcs.tdEpoch() && vcpu.vcpuEpoch() != tdcs.tdEpoch() - 1)
                        .findFirst()
                        .map(vcpu -> "vCPU %d is inside since epoch %d, TD_EPOCH is %d"
                                .formatted(vcpu.index(), vcpu.vcpuEpoch(), tdcs.tdEpoch()))
                : Optional.of("%d are inside, the REFCOUNTs say %d".formatted(inside, references));
    }
}
