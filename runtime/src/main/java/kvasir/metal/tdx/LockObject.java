package kvasir.metal.tdx;

/** The kinds of object that the module locks (all try-locks: contention is a BUSY status, nobody waits). */
public enum LockObject {
    SYS,
    TDMR,
    KOT,
    KET,
    WBCACHE,
    /** PAMT entry of a TDR. */
    TDR,
    /** PAMT entry of a TDVPR. */
    TDVPR,
    /** PAMT entry of any other page. */
    PAGE,
    OP_STATE,
    SEPT_TREE,
    SEPT_ENTRY,
    TD_EPOCH,
    RTMR
}
