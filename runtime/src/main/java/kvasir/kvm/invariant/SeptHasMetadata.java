package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.PageType;
import kvasir.metal.tdx.PamtEntry;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.SeptState;
import kvasir.metal.tdx.Tdcs;

/** Leaf: PT_REG of the leaf's size; table: PT_EPT; both owned by the TD. */
final class SeptHasMetadata extends SeptInvariant {
    @Override
    public String name() {
        return "sept_has_metadata";
    }

    @Override
    public String statement() {
        return "a page behind an S-EPT leaf is PT_REG of its size, a table is PT_EPT, and the TD owns both:";
    }

    @Override
    Optional<String> judge(TdxVm td, Tdcs tdcs, long gpa, int level, long raw) {
        SeptState state = SeptEntry.state(raw);
        Optional<PamtEntry> entry = td.host().module().pamt().lookup(SeptEntry.hpa(raw));
        boolean good = entry.filter(e -> e.owner() == td.tdr()
                        && e.type() == (state.leaf() ? PageType.PT_REG : PageType.PT_EPT)
                        && e.size() == (state.leaf() ? level : 0))
                .isPresent();
        return good
                ? Optional.empty()
                : Optional.of("%s.sept[0x%x] level %d is %s, its page is %s"
                        .formatted(td.vm().name(), gpa, level, state, entry));
    }
}
