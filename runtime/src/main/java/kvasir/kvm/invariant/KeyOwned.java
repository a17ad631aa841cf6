package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.HkidState;
import kvasir.metal.tdx.Lifecycle;
import kvasir.metal.tdx.Tdcs;

/** The key ownership table agrees with the TD's life cycle. */
final class KeyOwned extends TdInvariant {
    @Override
    public String name() {
        return "key_owned";
    }

    @Override
    public String statement() {
        return "the HKID of a TD is ASSIGNED until its vCPUs are flushed, then FLUSHED:";
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs, Touched touched) {
        return touched.module() ? violation(td, tdcs) : Optional.empty();
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs) {
        Lifecycle lifecycle = tdcs.tdr().lifecycle();
        if (lifecycle == Lifecycle.TD_TEARDOWN) {
            return Optional.empty();
        }
        HkidState wanted = lifecycle == Lifecycle.TD_BLOCKED ? HkidState.HKID_FLUSHED : HkidState.HKID_ASSIGNED;
        HkidState state = td.host().module().hkidState(tdcs.tdr().hkid());
        return state == wanted
                ? Optional.empty()
                : Optional.of("HKID %d is %s in %s".formatted(tdcs.tdr().hkid(), state, lifecycle));
    }
}
