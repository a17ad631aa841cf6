package kvasir.kvm.mmu;

import kvasir.kvm.GfnRange;

/** Tells and clears whether pages were accessed, without a lock and without a TLB flush (kvm_tdp_mmu_age_gfn_range). */
final class Aging {
    private final TdpMmu mmu;

    Aging(TdpMmu mmu) {
        this.mmu = mmu;
    }

    /**
     * @param clear makes pages old; otherwise only looks, and stops at the first young one
     * @return whether any page was young
     */
    boolean age(GfnRange range, boolean clear) {
        boolean young = false;
        mmu.tables.rcuReadLock();
        for (Root root : mmu.roots()) {
            if (!RootTypes.match(root, RootTypes.DIRECT)
                    || root.role.addressSpace() != range.slot().addressSpace()) {
                continue;
            }
            var iterator = new TdpIterator(mmu.memory);
            for (iterator.start(root, Level.PG_4K, range.start());
                    iterator.valid && iterator.gfn < range.end();
                    iterator.next()) {
                if (Spte.isPresentLeaf(iterator.oldSpte, iterator.level)
                        && mmu.format().isAccessed(iterator.oldSpte)) {
                    young = true;
                    if (!clear) {
                        break;
                    }
                    makeOld(iterator);
                }
            }
        }
        mmu.tables.rcuReadUnlock();
        return young;
    }

    private void makeOld(TdpIterator iterator) {
        SpteFormat format = mmu.format();
        if (Spte.adDisabled(iterator.oldSpte)) {
            long old = format.markForAccessTrack(iterator.oldSpte);
            if (mmu.memory.compareAndSet64(iterator.sptep, iterator.oldSpte, old)) {
                mmu.emitSpte(iterator.root, iterator.gfn, iterator.level, iterator.oldSpte, old);
            }
        } else {
            mmu.clearSpteBits(iterator, format.accessedMask());
        }
    }
}
