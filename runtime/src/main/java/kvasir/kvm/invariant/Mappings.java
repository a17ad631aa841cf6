package kvasir.kvm.invariant;

import java.util.ArrayList;
import java.util.Optional;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.EntryVisitor;
import kvasir.kvm.mmu.Spte;
import kvasir.kvm.mmu.TdpMmu;

/** Looks at every leaf that nobody is invalidating. */
final class Mappings {
    /** Judges one leaf. */
    @FunctionalInterface
    interface Judge {
        /** @return what is wrong with it, empty if nothing */
        Optional<String> judge(EntryVisitor.Tree tree, long gfn, int level, long spte);
    }

    private Mappings() {}

    /** The first complaint about a present leaf outside the invalidation window. */
    static Optional<String> firstComplaint(Vm vm, Judge judge) {
        var complaints = new ArrayList<String>();
        ((TdpMmu) vm.mmu()).visitEntries((tree, gfn, level, table, spte) -> {
            if (complaints.isEmpty() && Spte.isPresentLeaf(spte, level) && !inWindow(vm, gfn, level)) {
                judge.judge(tree, gfn, level, spte)
                        .map(what -> "%s[0x%x] 0x%016x %s".formatted(tree.space(), gfn << 12, spte, what))
                        .ifPresent(complaints::add);
            }
        });
        return complaints.stream().findFirst();
    }

    private static boolean inWindow(Vm vm, long gfn, int level) {
        var invalidate = vm.invalidate();
        long end = gfn + (1L << (9 * (level - 1)));
        return invalidate.inProgress() != 0 && gfn < invalidate.windowEnd() && end > invalidate.windowStart();
    }
}
