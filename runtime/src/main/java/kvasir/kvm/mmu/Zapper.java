package kvasir.kvm.mmu;

import java.util.List;
import kvasir.kvm.GfnRange;
import kvasir.kvm.KernelLock.Mode;

/** Makes SPTEs non-present: leaves of a range, or whole trees (tdp_mmu.c). */
final class Zapper {
    private final TdpMmu mmu;

    Zapper(TdpMmu mmu) {
        this.mmu = mmu;
    }

    /** kvm_tdp_mmu_unmap_gfn_range: leaves only, in valid and invalid roots. mmu_lock is held for writing. */
    boolean unmap(GfnRange range) {
        int invalid = mmu.policy.keeps(MmuRule.ZAPS_INVALID_ROOTS) ? RootTypes.INVALID : 0;
        int types = mmu.rootTypes(range.filter()) | invalid;
        boolean flush = false;
        for (Root root : List.copyOf(mmu.roots())) {
            mmu.goesByRoots();
            if (mmu.alive(root)
                    && RootTypes.match(root, types)
                    && root.role.addressSpace() == range.slot().addressSpace()) {
                mmu.keep(root);
                flush = zapLeafs(root, range.start(), range.end(), range.mayBlock(), flush);
                mmu.putRoot(root);
            }
        }
        return flush;
    }

    /** tdp_mmu_zap_leafs. */
    private boolean zapLeafs(Root root, long start, long end, boolean mayYield, boolean flushBefore) {
        boolean flush = flushBefore;
        long stop = Math.min(end, mmu.maxGfnExclusive());
        var iterator = new TdpIterator(mmu.memory);
        mmu.tables.rcuReadLock();
        for (iterator.start(root, Level.PG_4K, start); iterator.valid && iterator.gfn < stop; iterator.next()) {
            if (mayYield && mmu.condResched(iterator, flush, Mode.WRITE)) {
                flush = false;
                continue;
            }
            if (!Spte.isPresentLeaf(iterator.oldSpte, iterator.level)) {
                continue;
            }
            if (!mmu.leafRuns.zap(iterator, stop)) {
                mmu.setSpte(iterator, Spte.EMPTY);
                mmu.goesByRoots();
            }
            if (!root.role.invalid() && mmu.policy.keeps(MmuRule.ZAP_FLUSHES)) {
                flush = true;
            }
        }
        mmu.tables.rcuReadUnlock();
        return flush;
    }

    /** kvm_tdp_mmu_zap_invalidated_roots: zaps what {@link TdpMmu#invalidateRoots} scheduled. Takes mmu_lock. */
    void zapInvalidatedRoots(Mode mode) {
        mmu.vm.mmuLock().lock(mode);
        for (Root root : List.copyOf(mmu.roots())) {
            mmu.goesByRoots();
            if (root.scheduledForZap) {
                mmu.keep(root);
                mmu.changingRoots(() -> root.scheduledForZap = false);
                zapRoot(root, mode);
                mmu.putRoot(root);
                mmu.putRoot(root);
            }
        }
        mmu.vm.mmuLock().unlock(mode);
    }

    /** kvm_tdp_mmu_zap_all: direct roots, invalid ones too; no flush, nobody runs any more. */
    void zapAll() {
        for (Root root : List.copyOf(mmu.roots())) {
            if (RootTypes.match(root, RootTypes.DIRECT | RootTypes.INVALID)) {
                zapRoot(root, Mode.WRITE);
            }
        }
    }

    /** tdp_mmu_zap_root: in passes by level, so that the work between two yields stays small. */
    private void zapRoot(Root root, Mode mode) {
        mmu.tables.rcuReadLock();
        for (int level : new int[] {Level.PG_4K, Level.PG_2M, Level.PG_1G, root.level()}) {
            zapRootAtLevel(root, level, mode);
        }
        mmu.tables.rcuReadUnlock();
    }

    private void zapRootAtLevel(Root root, int zapLevel, Mode mode) {
        long stop = mmu.maxGfnExclusive();
        var iterator = new TdpIterator(mmu.memory);
        for (iterator.start(root, zapLevel, 0); iterator.valid && iterator.gfn < stop; iterator.next()) {
            do {
                if (mmu.condResched(iterator, false, mode)
                        || !Spte.isShadowPresent(iterator.oldSpte)
                        || iterator.level > zapLevel) {
                    break;
                }
            } while (!mmu.leafRuns.zap(iterator, stop) && !zap(iterator, mode));
        }
    }

    private boolean zap(TdpIterator iterator, Mode mode) {
        if (mode == Mode.READ) {
            return mmu.setSpteAtomic(iterator, Spte.EMPTY);
        }
        mmu.setSpte(iterator, Spte.EMPTY);
        return true;
    }
}
