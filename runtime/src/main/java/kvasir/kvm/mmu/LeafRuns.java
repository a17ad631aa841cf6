package kvasir.kvm.mmu;

import kvasir.kvm.Vm;
import kvasir.metal.memory.NativeMemory;

/**
 * Changes the 4 KiB leaves of a table one after the other at the speed of memory: what a walk that stands on each of them
 * would leave. It does nothing, and the walk goes entry by entry, whenever anybody could tell the difference: someone
 * listens to events, a scheduler decides at seams, vCPUs run beside, somebody waits for mmu_lock, or the tree is a mirror.
 */
final class LeafRuns {
    private final TdpMmu mmu;
    private final Vm vm;

    LeafRuns(TdpMmu mmu) {
        this.mmu = mmu;
        vm = mmu.vm;
    }

    private boolean possible(TdpIterator iterator) {
        return iterator.level == Level.PG_4K
                && mmu.unobserved(iterator.root)
                && vm.processors().isEmpty()
                && !vm.mmuLock().contended();
    }

    /**
     * Zaps the leaves from the entry on which {@code iterator} stands to the last of its table, or before {@code end}, on
     * which it stands then.
     *
     * @return false if they must be visited one by one
     */
    boolean zap(TdpIterator iterator, long end) {
        if (!possible(iterator)) {
            return false;
        }
        int entries = iterator.entriesLeft(end);
        long address = address(iterator);
        int zapped = 0;
        for (int i = 0; i < entries; i++) {
            long at = address + 8L * i;
            if (Spte.isPresentLeaf(NativeMemory.get64(at), Level.PG_4K)) {
                NativeMemory.put64(at, Spte.EMPTY);
                zapped++;
            }
        }
        mmu.stats.addPages(Level.PG_4K, -zapped);
        iterator.skip(entries - 1);
        return true;
    }

    /**
     * Clears {@code bit} of the leaves from the entry on which {@code iterator} stands to the last of its table, or before
     * {@code end}, on which it stands then.
     *
     * @return false if they must be visited one by one
     */
    boolean clear(TdpIterator iterator, long end, long bit) {
        if (!possible(iterator)) {
            return false;
        }
        int entries = iterator.entriesLeft(end);
        long address = address(iterator);
        for (int i = 0; i < entries; i++) {
            long at = address + 8L * i;
            long spte = NativeMemory.get64(at);
            if ((spte & bit) != 0 && Spte.isPresentLeaf(spte, Level.PG_4K)) {
                NativeMemory.put64(at, spte & ~bit);
            }
        }
        iterator.skip(entries - 1);
        return true;
    }

    private long address(TdpIterator iterator) {
        return mmu.memory.writable(iterator.tablePfn()) + (iterator.sptep & 0xfff);
    }
}
