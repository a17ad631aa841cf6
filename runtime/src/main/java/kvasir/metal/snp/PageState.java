package kvasir.metal.snp;

/** The names that firmware gives to combinations of RMP fields (SNP ABI, page states; encodings as Linux makes them). */
public enum PageState {
    /** Nobody's: the host may write it. */
    HYPERVISOR,
    /** The host's for ever: made by SNP_INIT_EX from the range list. */
    HV_FIXED,
    /** Given back by firmware; waits for RMPUPDATE. */
    RECLAIM,
    FIRMWARE,
    /** Holds a guest context. */
    CONTEXT,
    METADATA,
    /** A guest's, not yet taken by SNP_LAUNCH_UPDATE. */
    PRE_GUEST,
    PRE_SWAP,
    /** A guest's, not validated: an access is #VC 0x404. */
    GUEST_INVALID,
    GUEST_VALID;

    /** The state of a page with this entry. */
    public static PageState of(RmpEntry entry) {
        if (!entry.assigned()) {
            return entry.immutable() ? HV_FIXED : HYPERVISOR;
        }
        if (entry.asid() == 0) {
            if (!entry.immutable()) {
                return RECLAIM;
            }
            if (entry.vmsa()) {
                return CONTEXT;
            }
            return entry.gpa() != 0 ? METADATA : FIRMWARE;
        }
        if (entry.immutable()) {
            return entry.validated() ? PRE_SWAP : PRE_GUEST;
        }
        return entry.validated() ? GUEST_VALID : GUEST_INVALID;
    }
}
