package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.Ledger;
import kvasir.metal.tdx.OpState;
import kvasir.metal.tdx.Tdcs;

/** MRTD is frozen once the TD is RUNNABLE, and it and the RTMRs are what their records add up to. */
final class MeasurementIsItsLedger extends TdInvariant {
    private static final int RTMRS = 4;

    @Override
    public String name() {
        return "measurement_is_its_ledger";
    }

    @Override
    public String statement() {
        return "MRTD of a RUNNABLE TD and the RTMRs are the digests of what was added and extended, no more and no less:";
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs, Touched touched) {
        return touched.module() ? violation(td, tdcs) : Optional.empty();
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs) {
        if (tdcs.opState() != OpState.RUNNABLE) {
            return Optional.empty();
        }
        Ledger ledger = td.host().module().ledger(td.tdr());
        if (!tdcs.mrtd().equals(ledger.mrtd())) {
            return Optional.of("MRTD is %s, the ledger gives %s"
                    .formatted(tdcs.mrtd().hex(), ledger.mrtd().hex()));
        }
        for (int i = 0; i < RTMRS; i++) {
            if (!tdcs.rtmr(i).equals(ledger.rtmr(i))) {
                return Optional.of("RTMR%d is %s, the ledger gives %s"
                        .formatted(i, tdcs.rtmr(i).hex(), ledger.rtmr(i).hex()));
            }
        }
        return Optional.empty();
    }
}
