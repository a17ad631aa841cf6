package kvasir.kvm.mmu;

import java.util.TreeMap;
import kvasir.kvm.KernelLock.Mode;
import kvasir.kvm.Memslot;

/**
 * Pages whose writes somebody outside the MMU wants to see first (page_track.c, kvm_write_track_add_gfn): they are
 * never mapped writable and never large.
 */
public final class WriteTracking {
    private final TdpMmu mmu;
    private final DirtyTracking protector;
    private TreeMap<Long, Integer> counts = new TreeMap<>();
    private boolean external;

    WriteTracking(TdpMmu mmu, DirtyTracking protector) {
        this.mmu = mmu;
        this.protector = protector;
    }

    /** kvm_page_track_register_notifier, or its undoing: somebody outside KVM tracks writes. */
    public void setExternal(boolean registered) {
        external = registered;
    }

    /** Whether somebody outside KVM tracks writes. */
    public boolean external() {
        return external;
    }

    /** Tracks one more time; takes mmu_lock and flushes if a mapping lost its W. */
    public void add(Memslot slot, long gfn) {
        mmu.vm.mmuLock().lock(Mode.WRITE);
        counts.merge(gfn, 1, Integer::sum);
        adjustLpage(slot, gfn, 1);
        if (protector.writeProtectGfn(slot, gfn, Level.PG_4K)) {
            mmu.vm.flushRemoteTlbs(gfn, gfn + 1);
        }
        mmu.vm.mmuLock().unlock(Mode.WRITE);
    }

    /** Tracks one time less. */
    public void remove(Memslot slot, long gfn) {
        mmu.vm.mmuLock().lock(Mode.WRITE);
        counts.computeIfPresent(gfn, (key, count) -> count == 1 ? null : count - 1);
        adjustLpage(slot, gfn, -1);
        mmu.vm.mmuLock().unlock(Mode.WRITE);
    }

    /** Whether writes to the gfn are tracked. */
    public boolean tracks(long gfn) {
        return !counts.isEmpty() && counts.containsKey(gfn);
    }

    /** Whether any page is tracked. */
    boolean any() {
        return !counts.isEmpty();
    }

    private static void adjustLpage(Memslot slot, long gfn, int delta) {
        slot.lpage().adjust(gfn, Level.PG_2M, delta);
        slot.lpage().adjust(gfn, Level.PG_1G, delta);
    }

    long fingerprint() {
        return counts.hashCode();
    }

    Runnable checkpoint() {
        var saved = new TreeMap<>(counts);
        boolean savedExternal = external;
        return () -> {
            counts = new TreeMap<>(saved);
            external = savedExternal;
        };
    }
}
