package kvasir.kvm.mmu;

import kvasir.kvm.Memslot;

/** One fault on its way through the MMU (struct kvm_page_fault). Mutable; one per vCPU, reused. */
final class PageFault {
    long errorCode;
    boolean exec;
    boolean write;
    boolean present;
    boolean rsvd;
    /** Nobody accesses the page yet. */
    boolean prefetch;

    boolean isPrivate;
    /** The NX huge page mitigation is on. */
    boolean nxWorkaround;
    /** The mitigation keeps this fault from mapping large. */
    boolean hugePageDisallowed;
    /** Cap from outside, and from the backing of guest_memfd. */
    int maxLevel;
    /** Largest level the slot and the host allow. */
    int reqLevel;
    /** Level at which the mapping is made. */
    int goalLevel;
    /** Without direct bits. */
    long gfn;

    Memslot slot = Memslot.NONE;
    /** Frame to map; {@link kvasir.kvm.mm.Pfn#NOSLOT} for an MMIO entry. */
    long pfn;

    boolean mapWritable;
    /** mmu_invalidate_seq before slot, attribute and frame were looked up. */
    long mmuSeq;

    /** Starts a fault; levels are those of kvm_mmu_do_page_fault. */
    void begin(long gfn, long errorCode, boolean prefetch, int maxLevel, boolean nxWorkaround, Memslot slot) {
        this.gfn = gfn;
        this.errorCode = errorCode;
        this.prefetch = prefetch;
        this.maxLevel = maxLevel;
        this.nxWorkaround = nxWorkaround;
        this.slot = slot;
        exec = (errorCode & Pferr.FETCH) != 0;
        write = (errorCode & Pferr.WRITE) != 0;
        present = (errorCode & Pferr.PRESENT) != 0;
        rsvd = (errorCode & Pferr.RSVD) != 0;
        isPrivate = (errorCode & Pferr.PRIVATE_ACCESS) != 0;
        hugePageDisallowed = false;
        reqLevel = Level.PG_4K;
        goalLevel = Level.PG_4K;
        pfn = 0;
        mapWritable = false;
        mmuSeq = 0;
    }

    /** is_access_allowed: whether the entry lets this access through. */
    boolean allowedBy(SpteFormat format, long spte) {
        if (exec) {
            return format.isExecutable(spte);
        }
        return write ? Spte.isWritable(spte) : SpteFormat.isReadable(spte);
    }
}
