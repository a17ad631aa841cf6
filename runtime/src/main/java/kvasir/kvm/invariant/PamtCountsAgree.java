package kvasir.kvm.invariant;

import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.PageType;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.SeptScan;
import kvasir.metal.tdx.Tdcs;
import kvasir.metal.tdx.Tdvps;

/** The PAMT has as many pages of each type as the TD's structures refer to: none is lost, none is behind two. */
final class PamtCountsAgree extends TdInvariant {
    @Override
    public String name() {
        return "pamt_counts_agree";
    }

    @Override
    public String statement() {
        return "the PAMT has as many pages of a TD of each type as TDCS, vCPUs and S-EPT refer to:";
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs) {
        if (!td.leaked().isEmpty()) {
            return Optional.empty();
        }
        Map<PageType, Integer> wanted = new EnumMap<>(PageType.class);
        wanted.put(PageType.PT_TDCX, tdcs.tdr().numTdcx());
        for (Tdvps vcpu : td.vcpuStates()) {
            wanted.merge(PageType.PT_TDVPR, 1, Integer::sum);
            wanted.merge(PageType.PT_TDCX, vcpu.pages() - 1, Integer::sum);
        }
        SeptScan.visit(
                tdcs,
                (gpa, level, raw) ->
                        wanted.merge(SeptEntry.state(raw).leaf() ? PageType.PT_REG : PageType.PT_EPT, 1, Integer::sum));
        Map<PageType, Integer> there = new EnumMap<>(PageType.class);
        td.host().module().pamt().visit((hpa, entry) -> {
            if (entry.owner() == td.tdr()) {
                there.merge(entry.type(), 1, Integer::sum);
            }
        });
        return wanted.equals(there)
                ? Optional.empty()
                : Optional.of(
                        "%s refers to %s, the PAMT has %s".formatted(td.vm().name(), wanted, there));
    }
}
