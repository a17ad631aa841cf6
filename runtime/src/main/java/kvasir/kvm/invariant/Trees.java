package kvasir.kvm.invariant;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.EntryVisitor;
import kvasir.kvm.mmu.Spte;
import kvasir.kvm.mmu.TdpMmu;

/** Finds again what an event names. */
final class Trees {
    private Trees() {}

    /** A tree of tables of a VM. */
    record Named(Vm vm, int addressSpace, boolean mirror) {}

    /** The tree called {@code space}, {@code td.ept}, that has an entry for {@code gfn}; empty if there is none now. */
    static Optional<Named> named(List<Vm> vms, String space, long gfn) {
        for (Vm vm : vms) {
            if (!space.startsWith(vm.name() + ".")) {
                continue;
            }
            var found = new ArrayList<Named>(1);
            ((TdpMmu) vm.mmu())
                    .visitEntries(
                            gfn, gfn + 1, (EntryVisitor.Tree tree, long first, int level, long table, long spte) -> {
                                if (tree.space().equals(space) && found.isEmpty()) {
                                    found.add(new Named(vm, tree.addressSpace(), tree.mirror()));
                                }
                            });
            if (!found.isEmpty()) {
                return Optional.of(found.getFirst());
            }
        }
        return Optional.empty();
    }

    /** Whether a present leaf of a valid tree called {@code space} covers {@code gfn}. */
    static boolean maps(List<Vm> vms, String space, long gfn) {
        boolean[] mapped = {false};
        for (Vm vm : vms) {
            if (space.startsWith(vm.name() + ".")) {
                ((TdpMmu) vm.mmu()).visitEntries(gfn, gfn + 1, (tree, first, level, table, spte) -> {
                    if (!mapped[0]
                            && tree.space().equals(space)
                            && first <= gfn
                            && gfn < first + (1L << 9 * (level - 1))
                            && Spte.isPresentLeaf(spte, level)) {
                        mapped[0] = true;
                    }
                });
            }
        }
        return mapped[0];
    }
}
