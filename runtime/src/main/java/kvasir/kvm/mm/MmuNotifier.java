package kvasir.kvm.mm;

/** Who is told before and after host page-table entries change (struct mmu_notifier_ops). */
public interface MmuNotifier {
    /** invalidate_range_start: hvas {@code [start, end)} are about to lose or change their pages. */
    void invalidateRangeStart(long start, long end);

    /** invalidate_range_end. */
    void invalidateRangeEnd(long start, long end);

    /** clear_young if {@code clear}, else test_young: whether a page of hvas {@code [start, end)} was accessed. */
    boolean young(long start, long end, boolean clear);
}
