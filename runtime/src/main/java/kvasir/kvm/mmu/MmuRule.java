package kvasir.kvm.mmu;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A rule of the MMU's locking, each one line of its code. Kernels keep them all; a semantics that a script puts together
 * may break one, to see what it is for: {@code semantics broken from v6.19 { breaks stale_seq }}.
 */
public enum MmuRule {
    /** Before an SPTE is installed, mmu_invalidate_seq is compared with its value at the lookup (is_page_fault_stale). */
    STALE_SEQ,
    /** Before an SPTE is installed, no invalidation of the gfn is under way (is_page_fault_stale). */
    STALE_RANGE,
    /** Whether the fault is stale is asked with mmu_lock held, not before (kvm_tdp_mmu_page_fault). */
    STALE_UNDER_LOCK,
    /** A fault installs its SPTE with mmu_lock held for reading (kvm_tdp_mmu_page_fault). */
    FAULT_HOLDS_MMU_LOCK,
    /** A fault that meets a slot being deleted or moved installs nothing (kvm_mmu_faultin_pfn). */
    INVALID_SLOT,
    /** A fault installs nothing into a root that was invalidated (is_page_fault_stale, 5.16). */
    STALE_ROOT,
    /** A range is unmapped in invalidated roots too, whose own zap may be under way (kvm_tdp_mmu_unmap_gfn_range). */
    ZAPS_INVALID_ROOTS,
    /** No slot set is published between the start and the end of a notifier (kvm_swap_active_memslots, 5.15). */
    NOTIFIERS_HOLD_SLOTS,
    /** Under mmu_lock held for reading an SPTE changes by compare-and-exchange only (tdp_mmu_set_spte_atomic). */
    SPTE_CMPXCHG,
    /** A walk that yielded starts again from the root (tdp_mmu_iter_cond_resched). */
    YIELD_RESTARTS,
    /** A zap of a leaf in a valid root is followed by a TLB flush (tdp_mmu_zap_leafs). */
    ZAP_FLUSHES;

    /** {@code stale_seq}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The rule of that word. */
    public static Optional<MmuRule> of(String word) {
        return Stream.of(values()).filter(rule -> rule.word().equals(word)).findFirst();
    }
}
