package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.Pamt;
import kvasir.metal.tdx.PamtEntry;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.SeptScan;
import kvasir.metal.tdx.SeptState;
import kvasir.metal.tdx.Tdcs;

/** BEPOCH of a page is an epoch that was, and that of a blocked one was written. */
final class BlockIsInAnEpoch extends TdInvariant {
    @Override
    public String name() {
        return "block_is_in_an_epoch";
    }

    @Override
    public String statement() {
        return "no page has a BEPOCH after TD_EPOCH, and a blocked one has one:";
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs) {
        Pamt pamt = td.host().module().pamt();
        var found = new String[1];
        SeptScan.visit(tdcs, (gpa, level, raw) -> {
            SeptState state = SeptEntry.state(raw);
            long bepoch = pamt.lookup(SeptEntry.hpa(raw)).map(PamtEntry::bepoch).orElse(0L);
            if (Long.compareUnsigned(bepoch, tdcs.tdEpoch()) > 0 || state.anyBlocked() && bepoch == 0) {
                found[0] = "%s.sept[0x%x] is %s, BEPOCH %d, TD_EPOCH %d"
                        .formatted(td.vm().name(), gpa, state, bepoch, tdcs.tdEpoch());
            }
        });
        return Optional.ofNullable(found[0]);
    }
}
