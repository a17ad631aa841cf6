package kvasir.kvm.invariant;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.PageType;
import kvasir.metal.tdx.Pamt;
import kvasir.metal.tdx.PamtEntry;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.SeptScan;
import kvasir.metal.tdx.SeptState;
import kvasir.metal.tdx.Tdcs;

/** Leaf: PT_REG of the leaf's size; table: PT_EPT; both owned by the TD. */
final class SeptHasMetadata extends TdInvariant {
    @Override
    public String name() {
        return "sept_has_metadata";
    }

    @Override
    public String statement() {
        return "a page behind an S-EPT leaf is PT_REG of its size, a table is PT_EPT, and the TD owns both:";
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs) {
        Pamt pamt = td.host().module().pamt();
        List<String> found = new ArrayList<>();
        SeptScan.visit(tdcs, (gpa, level, raw) -> {
            SeptState state = SeptEntry.state(raw);
            Optional<PamtEntry> entry = pamt.lookup(SeptEntry.hpa(raw));
            boolean good = entry.filter(e -> e.owner() == td.tdr()
                            && e.type() == (state.leaf() ? PageType.PT_REG : PageType.PT_EPT)
                            && e.size() == (state.leaf() ? level : 0))
                    .isPresent();
            if (!good) {
                found.add("%s.sept[0x%x] level %d is %s, its page is %s"
                        .formatted(td.vm().name(), gpa, level, state, entry));
            }
        });
        return found.stream().findFirst();
    }
}
