package kvasir.metal.tdx;

/** States of an L1 S-EPT entry (TDX 1.5). */
public enum SeptState {
    FREE(0x0e, 0),
    REMOVED(0x0c, 5),
    NL_MAPPED(0x00, 0x84),
    NL_BLOCKED(0x08, 0x81),
    MAPPED(0x60, 4),
    BLOCKED(0x68, 1),
    BLOCKEDW(0x64, 8),
    EXPORTED_BLOCKEDW(0x66, 9),
    EXPORTED_DIRTY(0x63, 11),
    EXPORTED_DIRTY_BLOCKEDW(0x67, 12),
    PENDING(0x70, 2),
    PENDING_BLOCKED(0x78, 3),
    PENDING_BLOCKEDW(0x74, 16),
    PENDING_EXPORTED_BLOCKEDW(0x76, 17),
    PENDING_EXPORTED_DIRTY(0x73, 19),
    PENDING_EXPORTED_DIRTY_BLOCKEDW(0x77, 20);

    private static final SeptState[] BY_ENCODING = new SeptState[128];

    static {
        for (SeptState state : values()) {
            BY_ENCODING[state.encoding] = state;
        }
    }

    private final int encoding;
    private final int publicNumber;

    SeptState(int encoding, int publicNumber) {
        this.encoding = encoding;
        this.publicNumber = publicNumber;
    }

    /** The state with that 7-bit encoding. */
    static SeptState ofEncoding(int encoding) {
        SeptState state = BY_ENCODING[encoding];
        if (state == null) {
            throw new IllegalStateException("S-EPT state encoding 0x" + Integer.toHexString(encoding));
        }
        return state;
    }

    /** Seven bits: bit 0 is entry bit 9, bits 4:1 are entry bits 56:53, bits 6:5 are entry bits 7:6. */
    int encoding() {
        return encoding;
    }

    /** The number in bits 15:8 of RDX. */
    public int publicNumber() {
        return publicNumber;
    }

    /** Whether the entry maps a page. */
    public boolean leaf() {
        return (encoding & 0x60) == 0x60;
    }

    /** Whether the entry refers to a page or a table. */
    public boolean present() {
        return this != FREE && this != REMOVED;
    }

    /** NL_BLOCKED, BLOCKED or PENDING_BLOCKED. */
    public boolean anyBlocked() {
        return this == NL_BLOCKED || this == BLOCKED || this == PENDING_BLOCKED;
    }

    /** Whether the page waits for the guest's ACCEPT, blocked or not. */
    public boolean pending() {
        return (encoding & 0x70) == 0x70;
    }

    /** Whether the guest may read the page. */
    public boolean guestReadable() {
        return switch (this) {
            case MAPPED, BLOCKEDW, EXPORTED_BLOCKEDW, EXPORTED_DIRTY, EXPORTED_DIRTY_BLOCKEDW -> true;
            default -> false;
        };
    }

    /** Whether the guest may write the page. */
    public boolean guestWritable() {
        return this == MAPPED || this == EXPORTED_DIRTY;
    }

    /** This state after RANGE.BLOCK. */
    SeptState blocked() {
        return switch (this) {
            case NL_MAPPED -> NL_BLOCKED;
            case MAPPED, BLOCKEDW -> BLOCKED;
            case PENDING, PENDING_BLOCKEDW -> PENDING_BLOCKED;
            default -> throw new IllegalStateException("block " + this);
        };
    }

    /** This state without its blocked and write-blocked marks. */
    SeptState unblocked() {
        return switch (this) {
            case NL_BLOCKED -> NL_MAPPED;
            case BLOCKED, BLOCKEDW -> MAPPED;
            case PENDING_BLOCKED, PENDING_BLOCKEDW -> PENDING;
            case EXPORTED_BLOCKEDW, EXPORTED_DIRTY_BLOCKEDW -> EXPORTED_DIRTY;
            case PENDING_EXPORTED_BLOCKEDW, PENDING_EXPORTED_DIRTY_BLOCKEDW -> PENDING_EXPORTED_DIRTY;
            default -> this;
        };
    }
}
