package kvasir.kvm.invariant;

import java.util.Optional;
import java.util.stream.LongStream;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.SeptScan;
import kvasir.metal.tdx.Tdcs;

/** What the guest has not accepted it cannot reach, not even by a translation of before. */
final class UnacceptedPageUnseen extends TdInvariant {
    @Override
    public String name() {
        return "unaccepted_page_unseen";
    }

    @Override
    public String statement() {
        return "no vCPU has a translation to a page that is PENDING:";
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs) {
        LongStream.Builder pending = LongStream.builder();
        SeptScan.visit(tdcs, (gpa, level, raw) -> {
            if (SeptEntry.state(raw).pending()) {
                long first = SeptEntry.hpa(raw) >>> 12;
                LongStream.range(first, first + (1L << 9 * level)).forEach(pending);
            }
        });
        long[] pfns = pending.build().toArray();
        return pfns.length == 0 ? Optional.empty() : CachedPages.user(td, tdcs, pfns);
    }
}
