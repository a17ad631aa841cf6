package kvasir.metal.snp;

/** What an instruction on the RMP leaves in EAX. */
public enum ReturnCode {
    SUCCESS(0),
    /** Bad alignment, reserved bits, page not covered. */
    FAIL_INPUT(1),
    /** Immutable entry; a VMPL rule broken. */
    FAIL_PERMISSION(2),
    /** Another processor changes the entry. */
    FAIL_INUSE(3),
    /** RMPUPDATE: a 4K page inside an assigned 2M frame, or the other way round. */
    FAIL_OVERLAP(4),
    /** A 2M operand on a 4K entry. */
    FAIL_SIZEMISMATCH(6);

    private final int eax;

    ReturnCode(int eax) {
        this.eax = eax;
    }

    /** The value in EAX. */
    public int eax() {
        return eax;
    }
}
