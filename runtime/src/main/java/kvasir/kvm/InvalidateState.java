package kvasir.kvm;

/**
 * The invalidation protocol between those who change what a gfn maps to and those who install SPTEs (kvm_main.c,
 * kvm_mmu_invalidate_begin, mmu_invalidate_retry_gfn). All under mmu_lock, except the count of notifiers.
 */
public final class InvalidateState {
    private final Runnable onImbalance;
    private long seq;
    private int inProgress;
    private long windowStart;
    private long windowEnd;
    private int activeNotifiers;

    /** @param onImbalance what happens when there are more ends than begins: the VM is bugged */
    InvalidateState(Runnable onImbalance) {
        this.onImbalance = onImbalance;
    }

    /** mmu_invalidate_seq. */
    public long seq() {
        return seq;
    }

    /** mmu_invalidate_in_progress. */
    public int inProgress() {
        return inProgress;
    }

    /** First gfn of the union of the ranges being invalidated. */
    public long windowStart() {
        return windowStart;
    }

    /** One past the last gfn of the union of the ranges being invalidated. */
    public long windowEnd() {
        return windowEnd;
    }

    /** mn_active_invalidate_count: hva notifiers between start and end; no slots may be published meanwhile. */
    public int activeNotifiers() {
        return activeNotifiers;
    }

    /** kvm_mmu_invalidate_begin. */
    void begin() {
        if (++inProgress == 1) {
            windowStart = 0;
            windowEnd = 0;
        }
    }

    /** kvm_mmu_invalidate_range_add: the window becomes the hull of all ranges. */
    void add(long start, long end) {
        if (windowStart == windowEnd) {
            windowStart = start;
            windowEnd = end;
        } else {
            windowStart = Math.min(windowStart, start);
            windowEnd = Math.max(windowEnd, end);
        }
    }

    /** kvm_mmu_invalidate_end. */
    void end() {
        seq++;
        if (--inProgress < 0) {
            onImbalance.run();
        }
    }

    void notifierStarts() {
        activeNotifiers++;
    }

    void notifierEnds() {
        activeNotifiers--;
    }

    /** Whether an SPTE for {@code gfn} looked up at {@code snapshot} of {@link #seq} must not be installed. */
    public boolean retry(long snapshot, long gfn) {
        return inProgress != 0 && gfn >= windowStart && gfn < windowEnd || seq != snapshot;
    }

    Runnable checkpoint() {
        long savedSeq = seq;
        int savedInProgress = inProgress;
        long savedStart = windowStart;
        long savedEnd = windowEnd;
        int savedActive = activeNotifiers;
        return () -> {
            seq = savedSeq;
            inProgress = savedInProgress;
            windowStart = savedStart;
            windowEnd = savedEnd;
            activeNotifiers = savedActive;
        };
    }
}
