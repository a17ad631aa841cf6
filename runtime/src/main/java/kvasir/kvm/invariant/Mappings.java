package kvasir.kvm.invariant;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.kvm.Vm;
import kvasir.kvm.mm.PageRanges;
import kvasir.kvm.mmu.EntryVisitor;
import kvasir.kvm.mmu.Spte;
import kvasir.kvm.mmu.TdpMmu;

/** Looks at every leaf that nobody is invalidating. */
final class Mappings {
    private static final List<PageRanges.Run> EVERYWHERE = List.of(new PageRanges.Run(0, Long.MAX_VALUE));

    /** Judges one leaf. */
    @FunctionalInterface
    interface Judge {
        /** @return what is wrong with it, empty if nothing */
        Optional<String> judge(EntryVisitor.Tree tree, long gfn, int level, long spte);
    }

    private Mappings() {}

    /** The first complaint about a present leaf outside the invalidation window. */
    static Optional<String> firstComplaint(Vm vm, Judge judge) {
        return firstComplaint(vm, EVERYWHERE, judge);
    }

    /** The first complaint about such a leaf that covers one of these gfns. */
    static Optional<String> firstComplaint(Vm vm, List<PageRanges.Run> gfns, Judge judge) {
        var complaints = new ArrayList<String>();
        for (PageRanges.Run run : gfns) {
            ((TdpMmu) vm.mmu()).visitEntries(run.start(), run.end(), (tree, gfn, level, table, spte) -> {
                if (complaints.isEmpty() && Spte.isPresentLeaf(spte, level) && !inWindow(vm, gfn, level)) {
                    judge.judge(tree, gfn, level, spte)
                            .map(what -> "%s[0x%x] 0x%016x %s".formatted(tree.space(), gfn << 12, spte, what))
                            .ifPresent(complaints::add);
                }
            });
        }
        return complaints.stream().findFirst();
    }

    /** The first complaint of all who judge, each leaf shown to all of them; the invariant's name and sentence before it. */
    static Optional<String> firstOf(Vm vm, List<LeafInvariant> invariants, List<PageRanges.Run> gfns) {
        var names = new ArrayList<LeafInvariant>();
        var judges = new ArrayList<Judge>();
        for (LeafInvariant invariant : invariants) {
            invariant.judge(vm).ifPresent(judge -> {
                names.add(invariant);
                judges.add(judge);
            });
        }
        var broken = new LeafInvariant[1];
        return firstComplaint(vm, gfns, (tree, gfn, level, spte) -> {
                    for (int i = 0; i < judges.size(); i++) {
                        Optional<String> wrong = judges.get(i).judge(tree, gfn, level, spte);
                        if (wrong.isPresent()) {
                            broken[0] = names.get(i);
                            return wrong;
                        }
                    }
                    return Optional.empty();
                })
                .map(what -> broken[0].name() + ": " + broken[0].statement() + " " + what);
    }

    /** The same for all leaves. */
    static Optional<String> firstOf(Vm vm, List<LeafInvariant> invariants) {
        return firstOf(vm, invariants, EVERYWHERE);
    }

    private static boolean inWindow(Vm vm, long gfn, int level) {
        var invalidate = vm.invalidate();
        long end = gfn + (1L << (9 * (level - 1)));
        return invalidate.inProgress() != 0 && gfn < invalidate.windowEnd() && end > invalidate.windowStart();
    }
}
