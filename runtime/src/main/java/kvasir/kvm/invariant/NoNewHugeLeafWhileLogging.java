package kvasir.kvm.invariant;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import kvasir.event.Event;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.Level;
import kvasir.kvm.mmu.MmuEvent;
import kvasir.kvm.mmu.Spte;

/** I3, the part about logging: what is written is to be known by the page. */
final class NoNewHugeLeafWhileLogging implements StreamInvariant {
    private final Supplier<List<Vm>> vms;

    NoNewHugeLeafWhileLogging(Supplier<List<Vm>> vms) {
        this.vms = vms;
    }

    @Override
    public String name() {
        return "no_new_huge_leaf_while_logging";
    }

    @Override
    public String statement() {
        return "No leaf of 2 MiB or more appears in a slot that logs dirty pages.";
    }

    @Override
    public Optional<String> violation(Event event) {
        if (!(event instanceof MmuEvent.SpteChanged change)
                || change.level() == Level.PG_4K
                || !Spte.isPresentLeaf(change.newSpte(), change.level())
                || Spte.isPresentLeaf(change.oldSpte(), change.level())) {
            return Optional.empty();
        }
        return Trees.named(vms.get(), change.space(), change.gfn())
                .map(tree -> tree.vm().memslots(tree.addressSpace()).lookup(change.gfn()))
                .filter(Memslot::logsDirty)
                .map(slot -> change.describe() + " in " + slot);
    }
}
