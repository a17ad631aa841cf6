package kvasir.metal.snp.psp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import kvasir.registry.Bytes;

/**
 * A firmware image for SNP_DOWNLOAD_FIRMWARE_EX, of the emulation's own: at 0x10 {@code $PS1}, at 0x60 build, minor, major
 * (where AMD's images have them), at 0x64 u32 SVN; behind the first 256 bytes a signature of 512 by the platform's ARK.
 *
 * @param major of the version, 0 to 255
 * @param minor of the version, 0 to 255
 * @param build of the version, 0 to 255
 * @param svn security version, 0 to 255: the SNP part of the TCB
 */
record FirmwareImage(int major, int minor, int build, int svn) {
    static final int BYTES = 0x300;
    private static final int HEADER_BYTES = 0x100;
    private static final int MAGIC = 0x3153_5024;

    /** Orders images: major, minor, build from the highest byte down. */
    int version() {
        return version(major, minor, build);
    }

    static int version(int major, int minor, int build) {
        return major << 16 | minor << 8 | build;
    }

    /** The image, signed. */
    Bytes signed() {
        ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(0x10, MAGIC);
        out.put(0x60, (byte) build).put(0x61, (byte) minor).put(0x62, (byte) major);
        out.putInt(0x64, svn);
        byte[] header = Arrays.copyOf(out.array(), HEADER_BYTES);
        out.put(HEADER_BYTES, CertificateChain.signByRoot(header));
        return Bytes.of(out.array());
    }

    /** An image that the ARK has signed. */
    static Optional<FirmwareImage> open(Bytes image) {
        byte[] bytes = image.toArray();
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        byte[] header = Arrays.copyOf(bytes, HEADER_BYTES);
        if (in.getInt(0x10) != MAGIC
                || !CertificateChain.signedByRoot(header, Arrays.copyOfRange(bytes, HEADER_BYTES, BYTES))) {
            return Optional.empty();
        }
        return Optional.of(new FirmwareImage(
                in.get(0x62) & 0xff, in.get(0x61) & 0xff, in.get(0x60) & 0xff, in.getInt(0x64) & 0xff));
    }
}
