package kvasir.metal.snp.psp;

/**
 * Security version numbers of a Milan or Genoa platform, each 0 to 255.
 *
 * @param bootLoader byte 0
 * @param tee byte 1
 * @param snp byte 6
 * @param microcode byte 7
 */
public record Tcb(int bootLoader, int tee, int snp, int microcode) {
    /** Packed into TCB_VERSION. */
    public long version() {
        return bootLoader & 0xffL | (tee & 0xffL) << 8 | (snp & 0xffL) << 48 | (microcode & 0xffL) << 56;
    }

    /** Unpacked from TCB_VERSION. */
    public static Tcb of(long version) {
        return new Tcb(
                (int) version & 0xff,
                (int) (version >>> 8) & 0xff,
                (int) (version >>> 48) & 0xff,
                (int) (version >>> 56) & 0xff);
    }

    /** Whether every part is at most its counterpart. */
    boolean atMost(Tcb other) {
        return bootLoader <= other.bootLoader && tee <= other.tee && snp <= other.snp && microcode <= other.microcode;
    }
}
