package kvasir.kvm.invariant;

import java.util.ArrayList;
import java.util.Optional;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.Level;
import kvasir.kvm.mmu.Spte;
import kvasir.kvm.mmu.TdpMmu;

/** I7: a FROZEN entry is owned by a task inside mmu_lock. */
final class FrozenIsOwned implements Invariant {
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
        var found = new ArrayList<String>();
        ((TdpMmu) vm.mmu()).visitEntries((tree, gfn, level, table, spte) -> {
            if (Spte.isFrozen(spte)) {
                found.add("%s[0x%x] %s is".formatted(tree.space(), gfn << 12, Level.name(level)));
            }
        });
        return found.stream().findFirst();
    }
}
