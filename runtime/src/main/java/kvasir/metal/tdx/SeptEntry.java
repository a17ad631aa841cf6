package kvasir.metal.tdx;

/** The 8 bytes of an S-EPT entry, as a view (TDX 1.5). */
public final class SeptEntry {
    /** Entry lock. */
    static final long TDEL = 1L << 11;
    /** Host priority of the entry lock. */
    static final long TDHP = 1L << 52;

    static final long SVE = 1L << 63;
    static final long HPA = 0x000f_ffff_ffff_f000L;
    private static final long STATE_BIT_0 = 1L << 9;
    private static final long RWX = 7;
    private static final long WRITE = 2;
    private static final long MEMORY_TYPE_WB = 6L << 3;
    /** Progress of an interrupted 2M ACCEPT, in pages, over the low HPA bits. */
    static final long ACCEPT_COUNTER = 0x1f_f000L;

    private SeptEntry() {}

    /** The unlocked entry of a state. */
    public static long encode(SeptState state, long hpa) {
        int code = state.encoding();
        long raw = SVE | (long) (code & 1) << 9 | (long) (code >> 1 & 0xf) << 53 | (long) (code >> 5) << 6;
        if (!state.present()) {
            return raw;
        }
        raw |= hpa;
        if (state.leaf()) {
            raw |= MEMORY_TYPE_WB;
        }
        if (state == SeptState.NL_MAPPED || state.guestWritable()) {
            raw |= RWX;
        } else if (state.guestReadable()) {
            raw |= RWX & ~WRITE;
        }
        return raw;
    }

    /** The state of an entry, locked or not. */
    public static SeptState state(long raw) {
        int code = (int) ((raw & STATE_BIT_0) >>> 9 | (raw >>> 53 & 0xf) << 1 | (raw >>> 6 & 3) << 5);
        return SeptState.ofEncoding(code);
    }

    /** The page or table the entry refers to; 0 if none. */
    public static long hpa(long raw) {
        return state(raw).present() ? raw & HPA : 0;
    }

    /** The page of a leaf at {@code level}, without an accept counter in the low bits. */
    static long hpa(long raw, int level) {
        return hpa(raw) & -(4096L << 9 * (state(raw).leaf() ? level : 0));
    }

    /** RCX of a leaf that reports an entry: its architectural bits. */
    static long architectural(long raw) {
        SeptState state = state(raw);
        if (!state.present()) {
            return SVE;
        }
        return state.leaf() ? raw & (0xff | HPA | SVE) : raw & (RWX | 1L << 7);
    }

    /** RDX of a leaf that reports an entry: level in bits 2:0, public state number in bits 15:8. */
    static long information(long raw, int level) {
        return level | (long) state(raw).publicNumber() << 8;
    }
}
