package kvasir.kvm.invariant;

import java.util.List;
import java.util.Optional;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vm;

/** A gfn has one slot. */
final class SlotsDisjoint implements Invariant {
    @Override
    public String name() {
        return "slots_disjoint";
    }

    @Override
    public String statement() {
        return "No two slots of an address space share a gfn.";
    }

    @Override
    public Optional<String> violation(Vm vm) {
        List<Memslot> slots = vm.allSlots();
        for (int i = 0; i < slots.size(); i++) {
            for (Memslot other : slots.subList(i + 1, slots.size())) {
                Memslot slot = slots.get(i);
                if (slot.addressSpace() == other.addressSpace()
                        && slot.baseGfn() < other.endGfn()
                        && other.baseGfn() < slot.endGfn()) {
                    return Optional.of("%s and %s do".formatted(slot, other));
                }
            }
        }
        return Optional.empty();
    }
}
