package kvasir.metal.snp;

/**
 * The model-specific registers that place the RMP (Linux {@code arch/x86/virt/svm/sev.c}).
 *
 * @param base C001_0132, first byte of the table
 * @param end C001_0133, <b>last</b> byte of the table; not used when segmented
 * @param cfg C001_0136, bit 0 segmented, 13:8 log2 of the bytes that one segment covers
 */
public record RmpRegisters(long base, long end, long cfg) {
    /** A contiguous table of {@code bytes} bytes at {@code base}. */
    public static RmpRegisters contiguous(long base, long bytes) {
        return new RmpRegisters(base, base + bytes - 1, 0);
    }

    /** Bytes of a contiguous table that covers {@code covered} bytes of memory from address 0, 1 MiB aligned. */
    public static long bytesToCover(long covered) {
        long needed = Rmp.BOOKKEEPING_BYTES + (covered >>> 12) * Rmp.ENTRY_BYTES;
        return (needed + 0xf_ffff) & ~0xf_ffffL;
    }

    /** Whether the table is cut into segments. */
    public boolean segmented() {
        return (cfg & 1) != 0;
    }

    /** log2 of the bytes of memory that one segment covers. */
    public int segmentShift() {
        return (int) (cfg >>> 8) & 0x3f;
    }
}
