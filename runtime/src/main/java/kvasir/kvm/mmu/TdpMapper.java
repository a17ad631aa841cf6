package kvasir.kvm.mmu;

import kvasir.kvm.Errno;
import kvasir.kvm.Vcpu;
import kvasir.kvm.mm.Pfn;

/** Puts what a fault found into the tables (kvm_tdp_mmu_map). mmu_lock is held for reading. */
final class TdpMapper {
    private final TdpMmu mmu;
    private final Vcpu vcpu;
    private final HugePages huge;
    private final TdpIterator iterator;
    private boolean outOfMemory;

    TdpMapper(TdpMmu mmu, Vcpu vcpu) {
        this.mmu = mmu;
        this.vcpu = vcpu;
        huge = new HugePages(mmu);
        iterator = new TdpIterator(mmu.memory);
    }

    /** Decides the level: kvm_mmu_hugepage_adjust. */
    private void adjustLevel(PageFault fault) {
        fault.hugePageDisallowed = fault.exec && fault.nxWorkaround;
        if (fault.maxLevel == Level.PG_4K || fault.pfn == Pfn.NOSLOT || fault.slot.logsDirty()) {
            return;
        }
        fault.reqLevel =
                huge.maxMappingLevel(fault.slot, fault.gfn, fault.maxLevel, fault.isPrivate || fault.slot.gmemOnly());
        if (fault.reqLevel == Level.PG_4K || fault.hugePageDisallowed) {
            return;
        }
        fault.goalLevel = fault.reqLevel;
        fault.pfn = Level.round(fault.pfn, fault.goalLevel);
    }

    /** The page size at the goal level shrinks when a fetch has already split it (disallowed_hugepage_adjust). */
    private void avoidDisallowed(PageFault fault) {
        if (iterator.level > Level.PG_4K
                && iterator.level == fault.goalLevel
                && Spte.isPresentTable(iterator.oldSpte, iterator.level)
                && mmu.nx.disallows(Spte.pfn(iterator.oldSpte))) {
            long mask = Level.pages(iterator.level) - Level.pages(iterator.level - 1);
            fault.pfn |= fault.gfn & mask;
            fault.goalLevel--;
        }
    }

    /** Walks down from {@code root}, making tables where they are missing, and installs the entry at the goal level. */
    int map(Root root, PageFault fault) {
        adjustLevel(fault);
        outOfMemory = false;
        mmu.tables.rcuReadLock();
        int result = walk(root, fault);
        mmu.tables.rcuReadUnlock();
        return result;
    }

    private int walk(Root root, PageFault fault) {
        for (iterator.start(root, Level.PG_4K, fault.gfn); iterator.valid; iterator.next()) {
            if (fault.nxWorkaround) {
                avoidDisallowed(fault);
            }
            if (Spte.isFrozen(iterator.oldSpte)) {
                return RetPf.RETRY;
            }
            if (iterator.level == fault.goalLevel) {
                return install(fault);
            }
            if (!Spte.isPresentTable(iterator.oldSpte, iterator.level) && !descend(fault)) {
                return outOfMemory ? RetPf.error(Errno.ENOMEM) : RetPf.RETRY;
            }
        }
        throw new IllegalStateException("the walk ended above the goal level");
    }

    /** Makes the table that is missing below the iterator's entry. */
    private boolean descend(PageFault fault) {
        boolean mirror = iterator.root.mirror();
        long table = mmu.tables.allocate();
        if (table < 0 || mirror && !mmu.tables.allocateExternal(table)) {
            if (table >= 0) {
                mmu.tables.freeNow(table);
            }
            outOfMemory = true;
            return false;
        }
        boolean linked;
        if (Spte.isShadowPresent(iterator.oldSpte)) {
            if (mirror) {
                mmu.vm.bug("a mirror entry can be no huge leaf");
                linked = false;
            } else {
                linked = huge.split(iterator, table, true);
            }
        } else {
            linked = mmu.linkTable(iterator, table, true);
        }
        if (!linked) {
            mmu.tables.freeNow(table);
            return false;
        }
        if (fault.hugePageDisallowed) {
            mmu.nx.track(iterator, table, fault.reqLevel >= iterator.level);
        }
        return true;
    }

    /** tdp_mmu_map_handle_target_level. */
    private int install(PageFault fault) {
        SpteFormat format = mmu.format();
        long old = iterator.oldSpte;
        boolean nothingToDo = Spte.isLast(old, iterator.level)
                ? fault.prefetch || fault.allowedBy(format, old)
                : fault.prefetch && !mmu.policy.spuriousNeedsLeaf();
        if (Spte.isShadowPresent(old) && nothingToDo) {
            return RetPf.SPURIOUS;
        }
        boolean writeProtected = false;
        long spte;
        if (fault.pfn == Pfn.NOSLOT) {
            long generation = mmu.vm.memslots(iterator.root.role.addressSpace()).generation();
            spte = format.mmio(iterator.gfn, generation, SpteFormat.ACC_ALL);
        } else {
            int access = SpteFormat.ACC_ALL;
            if (fault.mapWritable && mmu.writeTracking.tracks(fault.gfn)) {
                access &= ~SpteFormat.ACC_WRITE;
                writeProtected = true;
            }
            if (iterator.level > Level.PG_4K && fault.nxWorkaround) {
                access &= ~SpteFormat.ACC_EXEC;
            }
            spte = format.leaf(fault.pfn, iterator.level, access, fault.mapWritable, false, fault.prefetch);
            if (Spte.isWritable(spte)) {
                mmu.vm.markDirty(vcpu, fault.slot, iterator.gfn);
            }
        }
        int result = RetPf.FIXED;
        if (spte == old) {
            result = RetPf.SPURIOUS;
        } else if (!mmu.setSpteAtomic(iterator, spte)) {
            return RetPf.RETRY;
        } else if (Spte.isPresentTable(old, iterator.level)) {
            mmu.vm.flushRemoteTlbs(iterator.gfn, iterator.gfn + Level.pages(iterator.level));
        }
        if (writeProtected && fault.write) {
            result = RetPf.WRITE_PROTECTED;
        }
        if (format.isMmio(spte)) {
            mmu.stats.count(MmuStats.Counter.PF_MMIO_SPTE_CREATED);
            return RetPf.EMULATE;
        }
        return result;
    }
}
