package kvasir.metal.snp;

/** The size of an RMP entry or of an operand. */
public enum PageSize {
    SIZE_4K(0, 4096, "4K"),
    SIZE_2M(1, 2 << 20, "2M");

    private final int encoding;
    private final long bytes;
    private final String word;

    PageSize(int encoding, long bytes, String word) {
        this.encoding = encoding;
        this.bytes = bytes;
        this.word = word;
    }

    /** The hardware's encoding: 0 or 1. */
    public int encoding() {
        return encoding;
    }

    /** Bytes covered. */
    public long bytes() {
        return bytes;
    }

    /** 4 KiB frames covered. */
    public int frames() {
        return (int) (bytes >>> 12);
    }

    /** {@code 4K} or {@code 2M}. */
    public String word() {
        return word;
    }

    /** The size whose encoding is the low bit of {@code encoding}. */
    public static PageSize of(long encoding) {
        return (encoding & 1) == 0 ? SIZE_4K : SIZE_2M;
    }

    /** Whether {@code address} is a multiple of this size. */
    public boolean aligned(long address) {
        return (address & (bytes - 1)) == 0;
    }
}
