package kvasir.kvm.invariant;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.PageType;
import kvasir.metal.tdx.Pamt;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.Tdcs;
import kvasir.metal.tdx.Tdvps;

/** A page that a live structure refers to is not PT_NDA, and control pages have their type. */
final class UsedPageIsAssigned extends SeptInvariant {
    @Override
    public String name() {
        return "used_page_is_assigned";
    }

    @Override
    public String statement() {
        return "no S-EPT entry and no control structure refers to a page that is PT_NDA, and control pages have their type:";
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs) {
        Pamt pamt = td.host().module().pamt();
        List<String> found = new ArrayList<>();
        typed(pamt, "TDR", td.tdr(), PageType.PT_TDR, found);
        for (int i = 0; i < tdcs.tdr().numTdcx(); i++) {
            typed(pamt, "TDCX page " + i, tdcs.tdr().tdcxPa(i), PageType.PT_TDCX, found);
        }
        for (Tdvps vcpu : td.vcpuStates()) {
            typed(pamt, "TDVPR of vCPU " + vcpu.index(), vcpu.hpa(), PageType.PT_TDVPR, found);
            for (int i = 1; i < vcpu.pages(); i++) {
                typed(pamt, "TDCX page of vCPU " + vcpu.index(), vcpu.tdcxPa(i), PageType.PT_TDCX, found);
            }
        }
        return found.stream().findFirst().or(() -> super.violation(td, tdcs));
    }

    @Override
    Optional<String> judge(TdxVm td, Tdcs tdcs, long gpa, int level, long raw) {
        long hpa = SeptEntry.hpa(raw);
        return type(td.host().module().pamt(), hpa) == PageType.PT_NDA
                ? Optional.of("%s.sept[0x%x] refers to 0x%x, which is PT_NDA"
                        .formatted(td.vm().name(), gpa, hpa))
                : Optional.empty();
    }

    private static PageType type(Pamt pamt, long hpa) {
        return pamt.lookup(hpa).map(entry -> entry.type()).orElse(PageType.PT_NDA);
    }

    private static void typed(Pamt pamt, String what, long hpa, PageType wanted, List<String> found) {
        PageType type = type(pamt, hpa);
        if (type != wanted) {
            found.add("the %s at 0x%x is %s".formatted(what, hpa, type));
        }
    }
}
