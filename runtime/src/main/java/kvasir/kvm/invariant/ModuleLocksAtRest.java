package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.Pamt;
import kvasir.metal.tdx.Tdcs;
import kvasir.metal.tdx.Tdvps;
import kvasir.metal.tdx.VcpuState;

/** Between leaves the module holds no lock, but for what a running vCPU keeps. */
final class ModuleLocksAtRest extends TdInvariant {
    @Override
    public String name() {
        return "module_locks_at_rest";
    }

    @Override
    public String statement() {
        return "while no leaf is under way no lock of the TD is held, save TDR and TDVPR shared, once by each vCPU inside:";
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs, Touched touched) {
        return touched.module() ? violation(td, tdcs) : Optional.empty();
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs) {
        if (!tdcs.heldLocks().isEmpty()) {
            return Optional.of("%s are held".formatted(tdcs.heldLocks()));
        }
        Pamt pamt = td.host().module().pamt();
        int inside = 0;
        for (Tdvps vcpu : td.vcpuStates()) {
            int mine = vcpu.state() == VcpuState.VCPU_ACTIVE ? 1 : 0;
            inside += mine;
            if (pamt.holders(vcpu.hpa()) != mine) {
                return Optional.of("the TDVPR of vCPU %d is %s, and held %d times"
                        .formatted(vcpu.index(), vcpu.state(), pamt.holders(vcpu.hpa())));
            }
        }
        return pamt.holders(td.tdr()) == inside
                ? Optional.empty()
                : Optional.of(
                        "%d vCPUs are inside, the TDR is held %d times".formatted(inside, pamt.holders(td.tdr())));
    }
}
