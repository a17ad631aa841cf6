package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.Level;

/** I3: a huge leaf lies in one slot and has one attribute. */
final class HugeLeafFits implements LeafInvariant {
    @Override
    public String name() {
        return "huge_leaf_fits";
    }

    @Override
    public String statement() {
        return "No leaf of 2 MiB or more covers gfns of mixed attributes, or gfns outside its slot.";
    }

    @Override
    public Optional<Mappings.Judge> judge(Vm vm) {
        return Optional.of((tree, gfn, level, spte) -> {
            long end = gfn + Level.pages(level);
            if (level == Level.PG_4K) {
                return Optional.empty();
            }
            Memslot slot = vm.memslots(tree.addressSpace()).lookup(gfn);
            if (!slot.invalid() && (!slot.exists() || end > slot.endGfn())) {
                return Optional.of("reaches beyond its slot");
            }
            return vm.attributes().uniform(gfn, end, vm.attributes().isPrivate(gfn))
                    ? Optional.empty()
                    : Optional.of("covers private and shared gfns");
        });
    }
}
