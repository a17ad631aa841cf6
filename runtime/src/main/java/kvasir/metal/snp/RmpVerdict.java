package kvasir.metal.snp;

/** What the RMP check says about one access; everything but {@link #ALLOWED} is a fault. */
public enum RmpVerdict {
    ALLOWED("allowed"),
    /** The host, a device, or a guest without the C-bit touched a page that is assigned. */
    NOT_HYPERVISOR_OWNED("the page is assigned"),
    NOT_COVERED("the page has no RMP entry"),
    GPA_MISMATCH("the entry backs another guest page"),
    IMMUTABLE("the entry is immutable"),
    NOT_ASSIGNED("the page is not assigned"),
    ASID_MISMATCH("the page belongs to another ASID"),
    /** Nested leaf and RMP entry differ in size. */
    SIZE_MISMATCH("the nested leaf and the RMP entry differ in size"),
    /** A 4K operand of PVALIDATE or its kin on a 2M entry. */
    OPERAND_SIZE_MISMATCH("a 4K operand on a 2M entry"),
    /** The guest gets #VC with error code 0x404; the host sees nothing. */
    NOT_VALIDATED("the page is not validated"),
    VMPL_DENIED("the VMPL lacks the permission"),
    VMSA_WRITE("the page is a VMSA");

    /** #VC error code of a page that is not validated. */
    public static final int VC_NOT_VALIDATED = 0x404;

    /** Bit of a host #PF error code: due to the RMP. */
    public static final int PF_RMP = 1 << 31;

    /** EXITINFO1 of a nested page fault: due to the RMP. */
    public static final long NPF_RMP = 1L << 31;

    /** EXITINFO1: while translating the final guest physical address. */
    public static final long NPF_FINAL = 1L << 32;

    /** EXITINFO1: while translating a guest page-table page. */
    public static final long NPF_PAGE = 1L << 33;

    /** EXITINFO1: the access was private. Set on every nested fault of an SNP guest with C=1, RMP or not. */
    public static final long NPF_ENC = 1L << 34;

    /** EXITINFO1: operand and entry differ in size. */
    public static final long NPF_SIZEM = 1L << 35;

    /** EXITINFO1: a VMPL permission is missing. */
    public static final long NPF_VMPL = 1L << 36;

    /** EXITINFO1: the supervisor-shadow-stack check. */
    public static final long NPF_SSS = 1L << 37;

    private final String reason;

    RmpVerdict(String reason) {
        this.reason = reason;
    }

    /** Whether the access may go on. */
    public boolean allowed() {
        return this == ALLOWED;
    }

    /** Why, for a person. */
    public String reason() {
        return reason;
    }

    /**
     * The RMP bits of EXITINFO1 for this verdict, to be ORed to the ordinary bits (APM 2, 15.36.10; KVM {@code svm.h}).
     * Not for {@link #NOT_VALIDATED}, which is no exit.
     *
     * @param encrypted whether the effective C-bit of the access was 1
     */
    public long exitInfo1(boolean encrypted) {
        long enc = encrypted ? NPF_ENC : 0;
        return switch (this) {
            case ALLOWED, NOT_VALIDATED -> enc;
            case OPERAND_SIZE_MISMATCH -> NPF_RMP | NPF_SIZEM | enc;
            case VMPL_DENIED -> NPF_RMP | NPF_VMPL | enc;
            default -> NPF_RMP | enc;
        };
    }
}
