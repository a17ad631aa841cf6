package kvasir.kvm;

/**
 * The invalidation protocol between those who change what a gfn maps to and those who install SPTEs (kvm_main.c,
 * kvm_mmu_invalidate_begin, mmu_invalidate_retry_gfn). All under mmu_lock, except the count of notifiers.
 */
public final class InvalidateState {
    private final Runnable onImbalance;
    private final Seams seams;
    private final String seqCell;
    private final String windowCell;
    private final String notifiersCell;
    private long seq;
    private int inProgress;
    private long windowStart;
    private long windowEnd;
    private int activeNotifiers;

    /**
     * @param name the VM's
     * @param onImbalance what happens when there are more ends than begins: the VM is bugged
     */
    InvalidateState(String name, Seams seams, Runnable onImbalance) {
        this.seams = seams;
        this.onImbalance = onImbalance;
        seqCell = name + ".mmu_invalidate_seq";
        windowCell = name + ".mmu_invalidate_range";
        notifiersCell = name + ".mn_active_invalidate_count";
    }

    /** The window as one number. */
    private long window() {
        return inProgress == 0
                ? 0
                : ((inProgress * 0x9e3779b97f4a7c15L ^ windowStart) * 0x9e3779b97f4a7c15L ^ windowEnd) | 1;
    }

    /** mmu_invalidate_seq. */
    public long seq() {
        seams.footprint().read(seqCell, seq);
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
        seams.footprint().passed(notifiersCell, activeNotifiers);
        return activeNotifiers;
    }

    /** kvm_mmu_invalidate_begin. */
    void begin() {
        long before = window();
        seams.footprint().read(windowCell, before);
        if (++inProgress == 1) {
            windowStart = 0;
            windowEnd = 0;
        }
        seams.footprint().wrote(windowCell, before, window());
    }

    /** kvm_mmu_invalidate_range_add: the window becomes the hull of all ranges. */
    void add(long start, long end) {
        long before = window();
        seams.footprint().read(windowCell, before);
        if (windowStart == windowEnd) {
            windowStart = start;
            windowEnd = end;
        } else {
            windowStart = Math.min(windowStart, start);
            windowEnd = Math.max(windowEnd, end);
        }
        seams.footprint().wrote(windowCell, before, window());
    }

    /** kvm_mmu_invalidate_end. */
    void end() {
        long before = window();
        seams.footprint().read(windowCell, before);
        seams.footprint().added(seqCell, seq, 1);
        seq++;
        if (--inProgress < 0) {
            onImbalance.run();
        }
        seams.footprint().wrote(windowCell, before, window());
    }

    void notifierStarts() {
        seams.footprint().added(notifiersCell, activeNotifiers, 1);
        activeNotifiers++;
    }

    void notifierEnds() {
        seams.footprint().added(notifiersCell, activeNotifiers, -1);
        activeNotifiers--;
    }

    /** Whether an SPTE for {@code gfn} looked up at {@code snapshot} of {@link #seq} must not be installed. */
    public boolean retry(long snapshot, long gfn) {
        seams.footprint().read(windowCell, window());
        seams.footprint().read(seqCell, seq);
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
