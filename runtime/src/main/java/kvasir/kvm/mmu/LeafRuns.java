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
            clearBit(address + 8L * i, bit);
        }
        iterator.skip(entries - 1);
        return true;
    }

    /**
     * Clears {@code bit} of the leaves that {@code mask} names, from the entry on which {@code iterator} stands to the last
     * of its table, or of the 64 from {@code base} on, on which it stands then.
     *
     * @param base the gfn of bit 0 of {@code mask}, at most 63 before the iterator's
     * @return false if they must be visited one by one
     */
    boolean clearMasked(TdpIterator iterator, long base, long mask, long bit) {
        if (!possible(iterator)) {
            return false;
        }
        int entries = iterator.entriesLeft(base + Long.SIZE);
        long left = mask >>> iterator.gfn - base & -1L >>> -entries;
        for (long address = address(iterator); left != 0; left &= left - 1) {
            clearBit(address + 8L * Long.numberOfTrailingZeros(left), bit);
        }
        iterator.skip(entries - 1);
        return true;
    }

    private static void clearBit(long address, long bit) {
        long spte = NativeMemory.get64(address);
        if ((spte & bit) != 0 && Spte.isPresentLeaf(spte, Level.PG_4K)) {
            NativeMemory.put64(address, spte & ~bit);
        }
    }

    /**
     * Freezes the entries of a table that was unlinked from {@code root}: all of them, or those that are present.
     *
     * @param level of the table
     * @return false if they must be visited one by one
     */
    boolean freeze(Root root, long table, int level, boolean all) {
        if (level != Level.PG_4K || !mmu.unobserved(root) || !vm.processors().isEmpty()) {
            return false;
        }
        long address = mmu.memory.writable(table);
        int zapped = 0;
        for (long at = address; at < address + 8L * Level.ENTRIES; at += 8) {
            boolean present = Spte.isShadowPresent(NativeMemory.get64(at));
            if (present) {
                zapped++;
            }
            if (all || present) {
                NativeMemory.put64(at, Spte.FROZEN);
            }
        }
        mmu.stats.addPages(level, -zapped);
        return true;
    }

    private long address(TdpIterator iterator) {
        return mmu.memory.writable(iterator.tablePfn()) + (iterator.sptep & 0xfff);
    }
}
