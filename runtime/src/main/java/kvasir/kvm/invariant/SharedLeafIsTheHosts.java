package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.Spte;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.snp.Rmp;
import kvasir.metal.snp.RmpEntry;

/** A shared leaf leads to a page that is not assigned. */
final class SharedLeafIsTheHosts implements LeafInvariant {
    @Override
    public String name() {
        return "shared_leaf_is_the_hosts";
    }

    @Override
    public String statement() {
        return "A leaf of a shared gfn leads to a page that is not assigned in the RMP:";
    }

    @Override
    public Optional<Mappings.Judge> judge(Vm vm) {
        return SnpInvariant.initialised(vm).map(SharedLeafIsTheHosts::judge);
    }

    private static Mappings.Judge judge(SnpVm snp) {
        Rmp rmp = snp.host().rmp();
        return (tree, gfn, level, spte) -> snp.vm().attributes().isPrivate(gfn)
                        || !rmp.lookup(Spte.pfn(spte) << 12)
                                .map(RmpEntry::assigned)
                                .orElse(false)
                ? Optional.empty()
                : Optional.of("leads to an assigned page");
    }
}
