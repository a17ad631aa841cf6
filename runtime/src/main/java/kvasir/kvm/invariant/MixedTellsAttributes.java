package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.Level;

/** Large-page metadata follows the attributes (1.5 and 1.7 of KVM's memory model). */
final class MixedTellsAttributes implements Invariant {
    @Override
    public String name() {
        return "mixed_tells_attributes";
    }

    @Override
    public String statement() {
        return "A block that lies in a slot is marked MIXED if and only if it has private and shared gfns.";
    }

    @Override
    public Optional<String> violation(Vm vm) {
        if (!vm.type().hasPrivateMemory() || vm.slotsLock().held()) {
            return Optional.empty();
        }
        for (Memslot slot : vm.allSlots()) {
            for (int level = Level.PG_2M; level <= Level.PG_1G; level++) {
                Optional<String> wrong = firstWrong(vm, slot, level);
                if (wrong.isPresent()) {
                    return wrong;
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<String> firstWrong(Vm vm, Memslot slot, int level) {
        long pages = Level.pages(level);
        for (long block = slot.baseGfn() + pages - 1 & -pages; block + pages <= slot.endGfn(); block += pages) {
            boolean mixed = !vm.attributes()
                    .uniform(block, block + pages, vm.attributes().isPrivate(block));
            if (slot.lpage().mixed(block, level) != mixed) {
                return Optional.of(
                        "the %s block at 0x%x is%s".formatted(Level.name(level), block << 12, mixed ? " not" : ""));
            }
        }
        return Optional.empty();
    }
}
