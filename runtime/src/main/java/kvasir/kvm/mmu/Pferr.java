package kvasir.kvm.mmu;

/** Bits of a page-fault error code (PFERR_*). */
public final class Pferr {
    public static final long PRESENT = 1;
    public static final long WRITE = 1L << 1;
    public static final long USER = 1L << 2;
    public static final long RSVD = 1L << 3;
    public static final long FETCH = 1L << 4;
    /** SNP: the RMP refused. */
    public static final long GUEST_RMP = 1L << 31;
    /** The fault is on the final translation. */
    public static final long GUEST_FINAL = 1L << 32;
    /** The fault is on a guest page table. */
    public static final long GUEST_PAGE = 1L << 33;
    /** SNP: an access with the C-bit. */
    public static final long GUEST_ENC = 1L << 34;
    /** SNP: the sizes of the mapping and of the RMP entry differ. */
    public static final long GUEST_SIZEM = 1L << 35;
    /** Synthetic: the access does not come from an instruction of the guest. */
    public static final long IMPLICIT_ACCESS = 1L << 48;
    /** Synthetic: the access is to private memory. */
    public static final long PRIVATE_ACCESS = 1L << 49;

    private Pferr() {}
}
