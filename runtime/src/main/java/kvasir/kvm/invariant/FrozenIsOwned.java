package kvasir.kvm.invariant;

import java.util.ArrayList;
import java.util.Optional;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.Level;
import kvasir.kvm.mmu.Spte;
import kvasir.kvm.mmu.TdpMmu;

/** I7: a FROZEN entry is owned by a task inside mmu_lock. */
final class FrozenIsOwned implements LocalInvariant {
    @Override
    public String name() {
        return "frozen_is_owned";
    }

    @Override
    public String statement() {
        return "No entry that can be reached is FROZEN while nobody holds mmu_lock.";
    }

    @Override
    public Optional<String> violation(Vm vm) {
        return firstFrozen(vm, 0, Long.MAX_VALUE);
    }

    @Override
    public Optional<String> violation(Vm vm, Touched touched) {
        return touched.gfns().stream()
                .flatMap(run -> firstFrozen(vm, run.start(), run.end()).stream())
                .findFirst();
    }

    private static Optional<String> firstFrozen(Vm vm, long start, long end) {
        var found = new ArrayList<String>();
        ((TdpMmu) vm.mmu()).visitEntries(start, end, (tree, gfn, level, table, spte) -> {
            if (Spte.isFrozen(spte)) {
                found.add("%s[0x%x] %s is".formatted(tree.space(), gfn << 12, Level.name(level)));
            }
        });
        return found.stream().findFirst();
    }
}
