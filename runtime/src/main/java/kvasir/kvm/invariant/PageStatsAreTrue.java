package kvasir.kvm.invariant;

import java.util.Optional;
import java.util.function.IntToLongFunction;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.Level;
import kvasir.kvm.mmu.Spte;
import kvasir.kvm.mmu.TdpMmu;

/** The counters that user space reads tell what the tables hold. */
final class PageStatsAreTrue implements LocalInvariant {
    @Override
    public String name() {
        return "page_stats";
    }

    @Override
    public String statement() {
        return "pages_4k, pages_2m and pages_1g are the numbers of leaves in the tables.";
    }

    @Override
    public Optional<String> violation(Vm vm) {
        var mmu = (TdpMmu) vm.mmu();
        var leaves = new long[4];
        mmu.visitEntries((tree, gfn, level, table, spte) -> {
            if (Spte.isPresentLeaf(spte, level)) {
                leaves[level]++;
            }
        });
        return firstWrong(mmu, level -> leaves[level]);
    }

    @Override
    public Optional<String> violation(Vm vm, Touched touched) {
        return firstWrong((TdpMmu) vm.mmu(), touched::leaves);
    }

    private static Optional<String> firstWrong(TdpMmu mmu, IntToLongFunction leaves) {
        for (int level = Level.PG_4K; level <= Level.PG_1G; level++) {
            long there = leaves.applyAsLong(level);
            if (there != mmu.stats().pages(level)) {
                return Optional.of("%s: counted %d, there are %d"
                        .formatted(Level.name(level), mmu.stats().pages(level), there));
            }
        }
        return Optional.empty();
    }
}
