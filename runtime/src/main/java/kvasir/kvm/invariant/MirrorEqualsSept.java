package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.mmu.Spte;
import kvasir.kvm.mmu.TdpMmu;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.SeptScan;
import kvasir.metal.tdx.SeptState;
import kvasir.metal.tdx.SeptWalk;
import kvasir.metal.tdx.Tdcs;

/** KVM's copy and the module's table say the same of every private page. */
final class MirrorEqualsSept extends TdInvariant {
    @Override
    public String name() {
        return "mirror_equals_sept";
    }

    @Override
    public String statement() {
        return "a mirror leaf is present exactly where the S-EPT has a PENDING or MAPPED leaf, with the same page; only "
                + "before finalize may a page be mapped and not added:";
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs) {
        var mmu = (TdpMmu) td.vm().mmu();
        var found = new String[1];
        SeptScan.visit(tdcs, (gpa, level, raw) -> {
            SeptState state = SeptEntry.state(raw);
            boolean live = state == SeptState.PENDING || state == SeptState.MAPPED;
            if (live && mmu.mirrorPfn(gpa) != SeptEntry.hpa(raw) >>> 12) {
                found[0] = "sept[0x%x] is %s of pfn 0x%x, the mirror has %s"
                        .formatted(gpa, state, SeptEntry.hpa(raw) >>> 12, Long.toHexString(mmu.mirrorPfn(gpa)));
            }
        });
        return found[0] == null && !td.mayPremap() ? strayLeaf(td, tdcs) : Optional.ofNullable(found[0]);
    }

    private static Optional<String> strayLeaf(TdxVm td, Tdcs tdcs) {
        return Mappings.firstComplaint(td.vm(), (tree, gfn, level, spte) -> {
            SeptWalk walk = SeptWalk.to(tdcs.memory(), tdcs, gfn << 12, 0);
            boolean same = walk.state().leaf() && walk.target() >>> 12 == Spte.pfn(spte);
            return !tree.mirror() || same ? Optional.empty() : Optional.of("but the S-EPT is " + walk.state());
        });
    }
}
