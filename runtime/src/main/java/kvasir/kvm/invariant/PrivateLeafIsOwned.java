package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.Spte;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.Rmp;
import kvasir.metal.snp.RmpEntry;

/** A private leaf leads to the guest_memfd page of its gfn, which the RMP gives to this guest and this GPA. */
final class PrivateLeafIsOwned implements LeafInvariant {
    @Override
    public String name() {
        return "private_leaf_is_owned";
    }

    @Override
    public String statement() {
        return "A leaf of a private gfn leads to a page that the RMP gives to this ASID and this GPA, at no higher level:";
    }

    @Override
    public Optional<Mappings.Judge> judge(Vm vm) {
        return SnpInvariant.initialised(vm).filter(snp -> snp.asid() != 0).map(PrivateLeafIsOwned::judge);
    }

    private static Mappings.Judge judge(SnpVm snp) {
        Rmp rmp = snp.host().rmp();
        return (tree, gfn, level, spte) -> {
            if (!snp.vm().attributes().isPrivate(gfn)) {
                return Optional.empty();
            }
            long spa = Spte.pfn(spte) << 12;
            Optional<RmpEntry> entry = rmp.lookup(spa);
            boolean good = entry.filter(e -> e.assigned()
                            && e.asid() == snp.asid()
                            && e.gpa() + (spa & e.size().bytes() - 1) == gfn << 12
                            && (level == 1 || e.size() == PageSize.SIZE_2M))
                    .isPresent();
            return good
                    ? Optional.empty()
                    : Optional.of("leads to %s"
                            .formatted(entry.map(RmpEntry::describe).orElse("a page without entry")));
        };
    }
}
