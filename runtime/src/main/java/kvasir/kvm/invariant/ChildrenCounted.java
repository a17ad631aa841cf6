package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.SeptScan;
import kvasir.metal.tdx.Tdcs;

/** CHLDCNT is what the TD has. */
final class ChildrenCounted extends TdInvariant {
    @Override
    public String name() {
        return "children_counted";
    }

    @Override
    public String statement() {
        return "TDR.CHLDCNT counts the TDCS, the vCPUs' pages, S-EPT tables and pages, in units of 4K:";
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs) {
        var count = new long[] {tdcs.tdr().numTdcx()};
        td.vcpuStates().forEach(vcpu -> count[0] += vcpu.pages());
        SeptScan.visit(
                tdcs, (gpa, level, raw) -> count[0] += SeptEntry.state(raw).leaf() ? 1L << 9 * level : 1);
        long chldcnt = tdcs.tdr().chldcnt();
        return count[0] == chldcnt || !td.leaked().isEmpty()
                ? Optional.empty()
                : Optional.of("CHLDCNT is %d, there are %d".formatted(chldcnt, count[0]));
    }
}
