package kvasir.metal.tdx;

/** TDCS.OP_STATE; sets of states are bit masks of {@code 1 << number}. */
public enum OpState {
    UNINITIALIZED(0),
    INITIALIZED(1),
    RUNNABLE(2),
    LIVE_EXPORT(3),
    PAUSED_EXPORT(4),
    POST_EXPORT(5),
    MEMORY_IMPORT(6),
    STATE_IMPORT(7),
    POST_IMPORT(8),
    LIVE_IMPORT(9),
    FAILED_IMPORT(10);

    static final int BUILD = 1 << 1;

    static final int FRESH = 1;
    static final int ANY_INITIALISED = 0x7fe;
    static final int MAY_RUN = 1 << 2 | 1 << 3 | 1 << 9;
    static final int MAY_AUGMENT = BUILD | MAY_RUN;
    static final int MAY_ADD_TABLE = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 9;
    static final int MAY_CREATE_VCPU = 1 << 1 | 1 << 7;
    static final int MAY_MANAGE = 0x3e | 1 << 8 | 1 << 9;
    static final int MAY_REMOVE = MAY_MANAGE | 1 << 10;
    static final int MAY_WRITE = 0x0e | 0x7c0;
    static final int MAY_TRACK = 0x3fe;

    private static final OpState[] BY_NUMBER = values();

    private final int number;

    OpState(int number) {
        this.number = number;
    }

    /** The number in the field. */
    public int number() {
        return number;
    }

    static OpState of(int number) {
        return BY_NUMBER[number];
    }

    boolean in(int set) {
        return (set >> number & 1) != 0;
    }

    /** Whether removal needs blocking and TLB tracking in this state. */
    boolean tlbTrackingEnforced() {
        return in(MAY_RUN);
    }

    /** Whether a migration import is in progress. */
    boolean importing() {
        return in(1 << 6 | 1 << 7 | 1 << 8 | 1 << 9);
    }
}
