package kvasir.kvm;

import java.util.Optional;
import kvasir.registry.Described;

/** What {@link Vcpu} asks of its MMU. */
public interface VcpuMmu {
    /** RET_PF_*: how a fault was resolved; a negative number is an errno. */
    int RETRY = 1;

    /** The instruction must be emulated: MMIO, or a write to read-only memory. */
    int EMULATE = 2;

    /** The gfn is write-tracked. */
    int WRITE_PROTECTED = 3;

    /** A new mapping was installed. */
    int FIXED = 5;

    /** The mapping was there already. */
    int SPURIOUS = 6;

    /**
     * kvm_mmu_reload: drops obsolete roots and loads a valid one.
     *
     * @return 0 or a negative errno
     */
    int reload();

    /**
     * kvm_mmu_reload before 6.15: loads a root if none is loaded, and does not notice that the loaded one is obsolete.
     *
     * @return 0 or a negative errno
     */
    int load();

    /** The vCPU is destroyed: gives its roots back. */
    void destroy();

    /**
     * kvm_tdp_map_page: one prefetch fault, for pre-faulting.
     *
     * @param gpa with the direct bits, if the page is shared and the VM has any
     * @param errorCode PFERR_* bits
     * @param maxLevel cap on the level of the mapping, 1 to 3
     * @param retries whether RETRY is repeated here until it ends in something else; otherwise it is returned
     * @param prefetch nobody accesses the page yet: the Accessed bit stays clear
     * @return one of the constants above or a negative errno
     */
    int tdpMapPage(long gpa, long errorCode, int maxLevel, boolean retries, boolean prefetch);

    /**
     * Maps up to {@code pages} more 4 KiB pages that follow the one {@link #tdpMapPage} has just mapped, all at once,
     * where single calls would have the same effect and nobody could tell.
     *
     * @param gpa of the first page to map
     * @return pages mapped; 0 if it takes single calls
     */
    long mapFollowing(long gpa, long pages, boolean prefetch);

    /** The row of the errno table by which the last {@link #tdpMapPage} refused; empty if there is no row for it. */
    Optional<Check> refusal();

    /** Level at which the last fault or prefetch was to be mapped (its goal level). */
    int mappedLevel();

    /** The hardware's pointer to the current root: EPTP, or nCR3. */
    long rootPointer();

    /** Levels of the current root's tables: 4 or 5. */
    int rootLevels();

    /**
     * kvm_mmu_page_fault for a stage-2 fault taken in {@link Vcpu#run}.
     *
     * @param gpa the faulting address
     * @param errorCode PFERR_* bits (3.1), private bit not yet added for SW_PROTECTED
     * @return one of the constants above or a negative errno; MEMORY_FAULT has been written to kvm_run then
     */
    int pageFault(long gpa, long errorCode);

    /** What {@code vm.ept} or {@code vm.npt} shows through this vCPU's root. */
    Described table();

    /** What it remembers, as a number that is the same for the same state in every run. */
    default long fingerprint() {
        return 0;
    }

    /** The fields as they are, as an action that puts them back. */
    Runnable checkpoint();
}
