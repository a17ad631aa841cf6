package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.PamtEntry;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.SeptState;
import kvasir.metal.tdx.Tdcs;

/** BEPOCH of a page is an epoch that was, and that of a blocked one was written. */
final class BlockIsInAnEpoch extends SeptInvariant {
    @Override
    public String name() {
        return "block_is_in_an_epoch";
    }

    @Override
    public String statement() {
        return "no page has a BEPOCH after TD_EPOCH, and a blocked one has one:";
    }

    @Override
    Optional<String> judge(TdxVm td, Tdcs tdcs, long gpa, int level, long raw) {
        SeptState state = SeptEntry.state(raw);
        long bepoch = td.host()
                .module()
                .pamt()
                .lookup(SeptEntry.hpa(raw))
                .map(PamtEntry::bepoch)
                .orElse(0L);
        return Long.compareUnsigned(bepoch, tdcs.tdEpoch()) > 0 || state.anyBlocked() && bepoch == 0
                ? Optional.of("%s.sept[0x%x] is %s, BEPOCH %d, TD_EPOCH %d"
                        .formatted(td.vm().name(), gpa, state, bepoch, tdcs.tdEpoch()))
                : Optional.empty();
    }
}
