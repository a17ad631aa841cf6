package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.mmu.Spte;
import kvasir.kvm.mmu.TdpMmu;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.SeptState;
import kvasir.metal.tdx.SeptWalk;
import kvasir.metal.tdx.Tdcs;

/** KVM's copy and the module's table say the same of every private page. */
final class MirrorEqualsSept extends SeptInvariant {
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
        return super.violation(td, tdcs).or(() -> Mappings.firstComplaint(td.vm(), strayLeaf(td, tdcs)));
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs, Touched touched) {
        return super.violation(td, tdcs, touched)
                .or(() -> Mappings.firstComplaint(td.vm(), touched.septGfns(), strayLeaf(td, tdcs)));
    }

    @Override
    Optional<String> judge(TdxVm td, Tdcs tdcs, long gpa, int level, long raw) {
        SeptState state = SeptEntry.state(raw);
        boolean live = state == SeptState.PENDING || state == SeptState.MAPPED;
        long mirror = live ? ((TdpMmu) td.vm().mmu()).mirrorPfn(gpa) : 0;
        return live && mirror != SeptEntry.hpa(raw) >>> 12
                ? Optional.of("sept[0x%x] is %s of pfn 0x%x, the mirror has %s"
                        .formatted(gpa, state, SeptEntry.hpa(raw) >>> 12, Long.toHexString(mirror)))
                : Optional.empty();
    }

    private static Mappings.Judge strayLeaf(TdxVm td, Tdcs tdcs) {
        return (tree, gfn, level, spte) -> {
            if (!tree.mirror() || td.mayPremap()) {
                return Optional.empty();
            }
            SeptWalk walk = SeptWalk.to(tdcs.memory(), tdcs, gfn << 12, 0);
            boolean same = walk.state().leaf() && walk.target() >>> 12 == Spte.pfn(spte);
            return same ? Optional.empty() : Optional.of("but the S-EPT is " + walk.state());
        };
    }
}
