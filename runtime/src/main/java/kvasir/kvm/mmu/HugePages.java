package kvasir.kvm.mmu;

import kvasir.kvm.KernelLock.Mode;
import kvasir.kvm.Memslot;

/** Splits huge leaves in place, and makes them again (tdp_mmu.c); and decides how large a mapping may be (mmu.c). */
final class HugePages {
    private final TdpMmu mmu;

    HugePages(TdpMmu mmu) {
        this.mmu = mmu;
    }

    /**
     * Replaces the huge leaf the iterator stands on by a table of smaller leaves that map the same memory with the same
     * permissions; no flush is needed (tdp_mmu_split_huge_page).
     *
     * @return false if the entry changed meanwhile; the table is then still the caller's
     */
    boolean split(TdpIterator iterator, long table, boolean shared) {
        SpteFormat format = mmu.format();
        long huge = iterator.oldSpte;
        int childLevel = iterator.level - 1;
        boolean nx = mmu.nxHugePagesEnabled();
        for (int i = 0; i < Level.ENTRIES; i++) {
            mmu.memory.write64((table << 12) + 8L * i, format.splitChild(huge, childLevel, i, nx));
        }
        if (!mmu.linkTable(iterator, table, shared)) {
            return false;
        }
        mmu.stats.addPages(childLevel, Level.ENTRIES);
        return true;
    }

    /**
     * Splits all huge leaves of a range down to {@code targetLevel}, as far as memory for tables lasts
     * (kvm_tdp_mmu_try_split_huge_pages). mmu_lock is held as {@code mode} says.
     */
    void trySplit(Memslot slot, long start, long end, int targetLevel, Mode mode) {
        boolean shared = mode == Mode.READ;
        for (Root root : java.util.List.copyOf(mmu.roots())) {
            if (!RootTypes.match(root, RootTypes.VALID) || root.role.addressSpace() != slot.addressSpace()) {
                continue;
            }
            var iterator = new TdpIterator(mmu.memory);
            mmu.tables.rcuReadLock();
            for (iterator.start(root, targetLevel + 1, start); iterator.valid && iterator.gfn < end; iterator.next()) {
                if (mmu.condResched(iterator, false, mode) || !Spte.isPresentLeaf(iterator.oldSpte, iterator.level)) {
                    continue;
                }
                long table = mmu.tables.allocate();
                if (table < 0) {
                    mmu.tables.rcuReadUnlock();
                    return;
                }
                while (Spte.isPresentLeaf(iterator.oldSpte, iterator.level) && !split(iterator, table, shared)) {
                    iterator.reread();
                }
                if (!Spte.isPresentTable(mmu.memory.read64(iterator.sptep), iterator.level)) {
                    mmu.tables.freeNow(table);
                }
            }
            mmu.tables.rcuReadUnlock();
        }
    }

    /**
     * Makes huge leaves where slot and host allow it again, from any present leaf below; flushes if it did
     * (kvm_tdp_mmu_recover_huge_pages). Before 6.13 the tables are zapped instead and faults make the huge leaves.
     * mmu_lock is held for reading.
     */
    void recover(Memslot slot) {
        boolean inPlace = mmu.policy.kernel().atLeast(6, 13);
        boolean flush = false;
        for (Root root : java.util.List.copyOf(mmu.roots())) {
            if (!RootTypes.match(root, RootTypes.VALID)
                    || root.mirror()
                    || root.role.addressSpace() != slot.addressSpace()) {
                continue;
            }
            var iterator = new TdpIterator(mmu.memory);
            mmu.tables.rcuReadLock();
            for (iterator.start(root, Level.PG_2M, slot.baseGfn());
                    iterator.valid && iterator.gfn < slot.endGfn();
                    iterator.next()) {
                if (mmu.condResched(iterator, flush, Mode.READ)) {
                    flush = false;
                    continue;
                }
                while (recoverable(slot, iterator)) {
                    long huge = inPlace ? hugeFromChildren(iterator) : Spte.EMPTY;
                    if (inPlace && huge == Spte.EMPTY) {
                        break;
                    }
                    if (mmu.setSpteAtomic(iterator, huge)) {
                        flush = true;
                        break;
                    }
                }
            }
            mmu.tables.rcuReadUnlock();
        }
        if (flush) {
            mmu.vm.flushRemoteTlbs(slot.baseGfn(), slot.endGfn());
        }
    }

    private boolean recoverable(Memslot slot, TdpIterator iterator) {
        return iterator.level <= Level.PG_1G
                && Spte.isPresentTable(iterator.oldSpte, iterator.level)
                && iterator.gfn >= slot.baseGfn()
                && iterator.gfn < slot.endGfn()
                && maxMappingLevel(slot, iterator.gfn) >= iterator.level;
    }

    /** The huge leaf made from the first present leaf below; {@link Spte#EMPTY} if there is none. */
    private long hugeFromChildren(TdpIterator parent) {
        var child = new TdpIterator(mmu.memory);
        long end = parent.gfn + Level.pages(parent.level);
        for (child.start(parent.root, Level.PG_4K, parent.gfn); child.valid && child.gfn < end; child.next()) {
            if (child.level < parent.level && Spte.isPresentLeaf(child.oldSpte, child.level)) {
                return mmu.format().collapse(child.oldSpte, parent.level, mmu.nxHugePagesEnabled());
            }
        }
        return Spte.EMPTY;
    }

    /** kvm_mmu_max_mapping_level for a gfn of a slot, without a fault at hand; guest_memfd pages are of order 0. */
    private int maxMappingLevel(Memslot slot, long gfn) {
        boolean gmem = slot.gmemOnly() || slot.hasGmem() && mmu.vm.attributes().isPrivate(gfn);
        return gmem ? Level.PG_4K : maxMappingLevel(slot, gfn, Level.PG_1G, false);
    }

    /**
     * The largest level at which {@code gfn} may be mapped: what the processor can do, what the slot's large-page
     * metadata allows, and how the host maps it.
     *
     * @param gmem the memory comes from guest_memfd: {@code maxLevel} already tells its backing
     */
    int maxMappingLevel(Memslot slot, long gfn, int maxLevel, boolean gmem) {
        int level = Math.min(maxLevel, mmu.maxHugePageLevel());
        while (level > Level.PG_4K && !slot.lpage().allows(gfn, level)) {
            level--;
        }
        if (level == Level.PG_4K || gmem) {
            return level;
        }
        return Math.min(level, mmu.vm.mm().hostLevel(slot.hva(gfn)));
    }
}
