package kvasir.kvm.invariant;

import java.util.List;
import java.util.Optional;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vm;

/** A gfn has one slot. */
final class SlotsDisjoint implements LocalInvariant {
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
        return firstShared(vm, 0, Long.MAX_VALUE);
    }

    @Override
    public Optional<String> violation(Vm vm, Touched touched) {
        return touched.slotGfns().stream()
                .flatMap(run -> firstShared(vm, run.start(), run.end()).stream())
                .findFirst();
    }

    private static Optional<String> firstShared(Vm vm, long start, long end) {
        for (int space = 0; space < vm.type().addressSpaces(); space++) {
            List<Memslot> slots = vm.memslots(space).intersecting(start, end);
            for (int i = 1; i < slots.size(); i++) {
                if (slots.get(i).baseGfn() < slots.get(i - 1).endGfn()) {
                    return Optional.of("%s and %s do".formatted(slots.get(i - 1), slots.get(i)));
                }
            }
        }
        return Optional.empty();
    }
}
