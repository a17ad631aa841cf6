package kvasir.kvm;

import java.util.function.Function;
import kvasir.kvm.mmu.MmuRule;

/**
 * What {@link Vm} asks of its MMU (kvm_arch_*, kvm_mmu_*); {@code kvasir.kvm.mmu} has the answer. Locking is the
 * caller's unless a method says otherwise.
 */
public interface Mmu {
    /** Makes the MMU of a new VM. */
    @FunctionalInterface
    interface Factory extends Function<Vm, Mmu> {}

    /** Whether a rule of the MMU's locking is kept; only a semantics that a script puts together breaks one. */
    boolean keeps(MmuRule rule);

    /** The MMU state of a new vCPU. */
    VcpuMmu createVcpu(Vcpu vcpu);

    /**
     * kvm_unmap_gfn_range: zaps the leaves of the range in all roots of its filter, invalid roots included. mmu_lock is
     * held for writing.
     *
     * @return whether TLBs must be flushed before mmu_lock is dropped
     */
    boolean unmap(GfnRange range);

    /**
     * kvm_mmu_zap_all_fast: flips the valid generation, invalidates the direct roots, asks vCPUs to drop obsolete roots,
     * and zaps what was invalidated. Takes mmu_lock itself.
     */
    void zapAllFast();

    /** kvm_mmu_zap_all: the VMM's address space goes away, or the VM is destroyed. mmu_lock is not held. */
    void zapAll();

    /** kvm_page_track_has_external_user: somebody outside KVM (GVT-g) tracks writes of this VM. */
    boolean externallyTracked();

    /** kvm_mmu_slot_apply_flags (1.9): logging or read-only changed from {@code before} to {@code after}. Takes mmu_lock. */
    void flagsChanged(Memslot before, Memslot after);

    /**
     * kvm_arch_mmu_enable_log_dirty_pt_masked: protects again (clears D or W of) the pages of {@code slot} whose bits are
     * set, page 0 of {@code mask} being {@code offset} pages into the slot. mmu_lock is held for writing.
     */
    void protectMasked(Memslot slot, long offset, long mask);

    /**
     * kvm_age_gfn and kvm_test_age_gfn: whether a leaf in the range was accessed; {@code clear} clears it. No TLB flush.
     */
    boolean age(GfnRange range, boolean clear);

    /** All but page-table entries and counters, as a number that is the same for the same state in every run. */
    default long fingerprint() {
        return 0;
    }

    /** The fields as they are, as an action that puts them back. */
    Runnable checkpoint();
}
