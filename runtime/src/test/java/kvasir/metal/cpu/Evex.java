package kvasir.metal.cpu;

import java.io.ByteArrayOutputStream;
import java.util.Optional;

/**
 * EVEX encodings without masking (Intel SDM volume 2, "EVEX encoding") of instructions whose VEX encodings the host lacks.
 */
final class Evex {
    private static final int THREE_BYTE_VEX = 0xc4;

    private Evex() {}

    /** What does the same as {@code vex}; empty for instructions in a two-byte VEX, or that address relative to RIP. */
    static Optional<byte[]> of(byte[] vex) {
        int at = 0;
        while (at < 4 && (vex[at] & 0xff) != THREE_BYTE_VEX) {
            at++;
        }
        if ((vex[at] & 0xff) != THREE_BYTE_VEX || at + 5 > vex.length) {
            return Optional.empty();
        }
        int modrm = vex[at + 4] & 0xff;
        boolean relative = (modrm & 0xc7) == 5;
        if (relative) {
            return Optional.empty();
        }
        // between registers VEX ignores X; EVEX would take it for the number's highest bit
        int first = vex[at + 1] & 0xff | (modrm >> 6 == 3 ? 0x40 : 0);
        int second = vex[at + 2] & 0xff;
        var out = new ByteArrayOutputStream();
        out.write(vex, 0, at);
        out.write(0x62);
        out.write(first & 0xe0 | 0x10 | first & 7);
        out.write(second & 0xfb | 4);
        out.write((second & 4) << 3 | 8);
        out.write(vex[at + 3]);
        // EVEX scales a displacement of eight bits
        boolean small = modrm >> 6 == 1;
        out.write(small ? modrm & 0x3f | 0x80 : modrm);
        int displacement = at + 5 + ((modrm & 7) == 4 && modrm >> 6 != 3 ? 1 : 0);
        out.write(vex, at + 5, (small ? displacement : vex.length) - at - 5);
        if (small) {
            int value = vex[displacement];
            for (int i = 0; i < 4; i++) {
                out.write(value >> 8 * i);
            }
        }
        return Optional.of(out.toByteArray());
    }
}
