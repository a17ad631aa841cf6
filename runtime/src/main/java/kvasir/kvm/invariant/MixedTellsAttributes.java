package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.Level;

/** Large-page metadata follows the attributes (1.5 and 1.7 of KVM's memory model). */
final class MixedTellsAttributes implements LocalInvariant {
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
        return firstWrong(vm, 0, Long.MAX_VALUE);
    }

    @Override
    public Optional<String> violation(Vm vm, Touched touched) {
        return touched.slotGfns().stream()
                .flatMap(run -> firstWrong(vm, run.start(), run.end()).stream())
                .findFirst();
    }

    private static Optional<String> firstWrong(Vm vm, long start, long end) {
        if (!vm.type().hasPrivateMemory() || vm.slotsLock().held()) {
            return Optional.empty();
        }
        for (int space = 0; space < vm.type().addressSpaces(); space++) {
            for (Memslot slot : vm.memslots(space).intersecting(start, end)) {
                for (int level = Level.PG_2M; level <= Level.PG_1G; level++) {
                    Optional<String> wrong = firstWrong(vm, slot, level, start, end);
                    if (wrong.isPresent()) {
                        return wrong;
                    }
                }
            }
        }
        return Optional.empty();
    }

    /** The first wrong block of {@code slot} that shares a gfn with {@code [start, end)}. */
    private static Optional<String> firstWrong(Vm vm, Memslot slot, int level, long start, long end) {
        long pages = Level.pages(level);
        long last = Math.min(slot.endGfn() - pages, end - 1);
        for (long block = Math.max(slot.baseGfn() + pages - 1 & -pages, start & -pages);
                block <= last;
                block += pages) {
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
