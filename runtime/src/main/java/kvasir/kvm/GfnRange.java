package kvasir.kvm;

/**
 * The part of a slot that is being unmapped, aged or protected (struct kvm_gfn_range).
 *
 * @param slot the slot
 * @param start first gfn, in the slot
 * @param end one past the last gfn, in the slot
 * @param filter which mappings
 * @param mayBlock whether the walk may yield mmu_lock
 */
public record GfnRange(Memslot slot, long start, long end, Filter filter, boolean mayBlock) {
    /** KVM_FILTER_*. Without a mirror both mean the direct roots. */
    public enum Filter {
        SHARED,
        PRIVATE,
        BOTH
    }
}
