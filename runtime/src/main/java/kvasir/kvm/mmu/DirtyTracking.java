package kvasir.kvm.mmu;

import java.util.List;
import kvasir.kvm.KernelLock.Mode;
import kvasir.kvm.Memslot;

/**
 * The SPTE side of dirty logging: who writes a page next must be seen, by clearing D where hardware logs it (PML), by
 * clearing W elsewhere (mmu.c and tdp_mmu.c).
 */
final class DirtyTracking {
    private final TdpMmu mmu;
    private final HugePages huge;
    /** Of who holds mmu_lock for writing and protects what a word of a bitmap names. */
    private final TdpIterator masked;

    DirtyTracking(TdpMmu mmu, HugePages huge) {
        this.mmu = mmu;
        this.huge = huge;
        masked = new TdpIterator(mmu.memory);
    }

    /** kvm_mmu_slot_apply_flags for a slot whose flags only change; takes mmu_lock. */
    void flagsChanged(Memslot before, Memslot after) {
        if (before.logsDirty() == after.logsDirty()) {
            return;
        }
        boolean on = after.logsDirty();
        if (after.readonly()) {
            return;
        }
        if (!on) {
            mmu.vm.mmuLock().lock(Mode.READ);
            huge.recover(after);
            mmu.vm.mmuLock().unlock(Mode.READ);
            return;
        }
        if (mmu.vm.dirtyLogInitiallySet()) {
            return;
        }
        mmu.vm.mmuLock().lock(Mode.READ);
        if (mmu.host.eagerPageSplit()) {
            huge.trySplit(after, after.baseGfn(), after.endGfn(), Level.PG_4K, Mode.READ);
        }
        if (mmu.vm.usesPml()) {
            clearAll(after, Level.PG_4K, dirtyBit());
            clearAll(after, Level.PG_2M, Spte.WRITABLE);
        } else {
            clearAll(after, Level.PG_4K, Spte.WRITABLE);
        }
        mmu.vm.mmuLock().unlock(Mode.READ);
        mmu.vm.flushRemoteTlbs(after.baseGfn(), after.endGfn());
    }

    /** The bit hardware sets when a page is written: D, or W where there is no D (and a fault sets it). */
    private long dirtyBit() {
        return mmu.format().adDisabled() ? Spte.WRITABLE : mmu.format().dirtyMask();
    }

    /** kvm_tdp_mmu_clear_dirty_slot and kvm_tdp_mmu_wrprot_slot: clears {@code bit} of all leaves from {@code minLevel} up. */
    private void clearAll(Memslot slot, int minLevel, long bit) {
        for (Root root : List.copyOf(mmu.roots())) {
            if (!concerns(root, slot)) {
                continue;
            }
            var iterator = new TdpIterator(mmu.memory);
            mmu.tables.rcuReadLock();
            for (iterator.start(root, minLevel, slot.baseGfn());
                    iterator.valid && iterator.gfn < slot.endGfn();
                    iterator.next()) {
                if (mmu.condResched(iterator, false, Mode.READ)) {
                    continue;
                }
                if (mmu.leafRuns.clear(iterator, slot.endGfn(), bit)) {
                    continue;
                }
                while (Spte.isPresentLeaf(iterator.oldSpte, iterator.level)
                        && (iterator.oldSpte & bit) != 0
                        && !mmu.setSpteAtomic(iterator, iterator.oldSpte & ~bit)) {
                    iterator.reread();
                }
            }
            mmu.tables.rcuReadUnlock();
        }
    }

    /**
     * kvm_arch_mmu_enable_log_dirty_pt_masked: the pages of {@code mask} were reported, their next write must be seen.
     * mmu_lock is held for writing; the caller flushes.
     */
    void protectMasked(Memslot slot, long offset, long mask) {
        if (mask == 0) {
            return;
        }
        long base = slot.baseGfn() + offset;
        if (mmu.vm.dirtyLogInitiallySet()) {
            long first = base + Long.numberOfTrailingZeros(mask);
            long last = base + 63 - Long.numberOfLeadingZeros(mask);
            if (mmu.host.eagerPageSplit()) {
                huge.trySplit(slot, first, last + 1, Level.PG_4K, Mode.WRITE);
            }
            writeProtectGfn(slot, first, Level.PG_2M);
            if (Level.round(first, Level.PG_2M) != Level.round(last, Level.PG_2M)) {
                writeProtectGfn(slot, last, Level.PG_2M);
            }
        }
        long bit = mmu.vm.usesPml() ? dirtyBit() : Spte.WRITABLE;
        for (Root root : mmu.roots()) {
            if (concerns(root, slot)) {
                clearMasked(root, base, mask, bit);
            }
        }
    }

    private void clearMasked(Root root, long base, long mask, long bit) {
        long left = mask;
        TdpIterator iterator = masked;
        mmu.tables.rcuReadLock();
        for (iterator.start(root, Level.PG_4K, base + Long.numberOfTrailingZeros(mask));
                left != 0 && iterator.valid && iterator.gfn < base + 64;
                iterator.next()) {
            if (mmu.leafRuns.clearMasked(iterator, base, mask, bit)) {
                continue;
            }
            long own = 1L << (iterator.gfn - base);
            if (!Spte.isPresentLeaf(iterator.oldSpte, iterator.level)
                    || iterator.level > Level.PG_4K
                    || (left & own) == 0) {
                continue;
            }
            left &= ~own;
            if ((iterator.oldSpte & bit) != 0) {
                mmu.clearSpteBits(iterator, bit);
            }
        }
        mmu.tables.rcuReadUnlock();
    }

    /**
     * kvm_tdp_mmu_write_protect_gfn: takes W and MMU-writable from the leaf that maps {@code gfn}, if its level is at
     * least {@code minLevel}. mmu_lock is held for writing.
     *
     * @return whether an entry changed
     */
    boolean writeProtectGfn(Memslot slot, long gfn, int minLevel) {
        boolean changed = false;
        for (Root root : mmu.roots()) {
            if (!concerns(root, slot)) {
                continue;
            }
            var iterator = new TdpIterator(mmu.memory);
            mmu.tables.rcuReadLock();
            for (iterator.start(root, minLevel, gfn); iterator.valid && iterator.gfn <= gfn; iterator.next()) {
                if (!Spte.isPresentLeaf(iterator.oldSpte, iterator.level)) {
                    continue;
                }
                long without = iterator.oldSpte & ~(Spte.WRITABLE | mmu.format().mmuWritable());
                if (without == iterator.oldSpte) {
                    break;
                }
                mmu.setSpte(iterator, without);
                changed = true;
            }
            mmu.tables.rcuReadUnlock();
        }
        return changed;
    }

    /** Mirror trees never log. */
    private static boolean concerns(Root root, Memslot slot) {
        return RootTypes.match(root, RootTypes.DIRECT) && root.role.addressSpace() == slot.addressSpace();
    }
}
