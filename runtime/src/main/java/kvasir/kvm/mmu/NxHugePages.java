package kvasir.kvm.mmu;

import java.util.LinkedHashMap;
import java.util.Map;
import kvasir.kvm.KernelLock.Mode;
import kvasir.kvm.Memslot;

/**
 * The iTLB-multihit mitigation: huge pages are mapped without X; a fetch from one makes a 4 KiB table, and a worker
 * zaps such tables again after a while (mmu.c, kvm_recover_nx_huge_pages).
 */
public final class NxHugePages {
    /** Default of the module parameter nx_huge_pages_recovery_ratio. */
    public static final int DEFAULT_RATIO = 60;

    private final TdpMmu mmu;
    /** Tables made because of the mitigation: by frame, true while the worker may zap them, in order of making. */
    private Map<Long, Table> disallowed = new LinkedHashMap<>();

    private record Table(Root root, long sptep, long gfn, int parentLevel, boolean possible) {}

    NxHugePages(TdpMmu mmu) {
        this.mmu = mmu;
    }

    /** Tables the worker may zap (nx_lpage_splits). */
    public long possible() {
        return disallowed.values().stream().filter(Table::possible).count();
    }

    /** Whether the table exists only because of the mitigation (nx_huge_page_disallowed). */
    boolean disallows(long table) {
        return !disallowed.isEmpty() && disallowed.containsKey(table);
    }

    /** Notes a table that a fetch needed; {@code possible} puts it on the worker's list. */
    void track(TdpIterator iterator, long table, boolean possible) {
        disallowed.put(table, new Table(iterator.root, iterator.sptep, iterator.gfn, iterator.level, possible));
        if (possible) {
            mmu.stats.count(MmuStats.Counter.NX_LPAGE_SPLITS);
        }
    }

    /** The table is gone (tdp_mmu_unlink_sp). */
    void unlink(long table) {
        if (!disallowed.isEmpty()) {
            Table gone = disallowed.remove(table);
            if (gone != null && gone.possible) {
                mmu.stats.add(MmuStats.Counter.NX_LPAGE_SPLITS, -1);
            }
        }
    }

    /**
     * One period of the worker: zaps 1/{@code ratio} of the list, the oldest first, so that the next fault can map them
     * large again. A table in a slot with dirty logging is only taken off the list.
     *
     * @return tables zapped
     */
    public int recover(int ratio) {
        long splits = mmu.stats.get(MmuStats.Counter.NX_LPAGE_SPLITS);
        long toZap = ratio == 0 ? 0 : (splits + ratio - 1) / ratio;
        Mode mode = mmu.policy.kernel().atLeast(6, 18) ? Mode.READ : Mode.WRITE;
        int zapped = 0;
        boolean flush = false;
        mmu.vm.mmuLock().lock(mode);
        mmu.tables.rcuReadLock();
        while (toZap-- > 0 && possible() > 0) {
            Map.Entry<Long, Table> oldest = disallowed.entrySet().stream()
                    .filter(entry -> entry.getValue().possible())
                    .findFirst()
                    .orElseThrow();
            long table = oldest.getKey();
            Table where = oldest.getValue();
            Memslot slot = mmu.vm.memslots(where.root.role.addressSpace()).lookup(where.gfn);
            if (slot.exists() && slot.logsDirty()) {
                unlink(table);
            } else if (zap(table, where, mode)) {
                flush = true;
                zapped++;
            } else {
                unlink(table);
            }
        }
        if (flush) {
            mmu.vm.flushRemoteTlbs(0, mmu.maxGfnExclusive());
        }
        mmu.tables.rcuReadUnlock();
        mmu.vm.mmuLock().unlock(mode);
        return zapped;
    }

    /** The entry must still point to the table (kvm_tdp_mmu_zap_possible_nx_huge_page). */
    private boolean zap(long table, Table where, Mode mode) {
        var iterator = new TdpIterator(mmu.memory);
        iterator.start(where.root, where.parentLevel, where.gfn);
        while (iterator.valid && iterator.level > where.parentLevel) {
            iterator.next();
        }
        if (!iterator.valid
                || iterator.sptep != where.sptep
                || !Spte.isPresentTable(iterator.oldSpte, iterator.level)
                || Spte.pfn(iterator.oldSpte) != table) {
            return false;
        }
        if (mode == Mode.READ) {
            return mmu.setSpteAtomic(iterator, Spte.EMPTY);
        }
        mmu.setSpte(iterator, Spte.EMPTY);
        return true;
    }

    long fingerprint() {
        long hash = 0;
        for (Map.Entry<Long, Table> entry : disallowed.entrySet()) {
            hash = hash * 31 + entry.getKey() * 2 + (entry.getValue().possible ? 1 : 0);
        }
        return hash;
    }

    Runnable checkpoint() {
        var saved = new LinkedHashMap<>(disallowed);
        return () -> disallowed = new LinkedHashMap<>(saved);
    }
}
