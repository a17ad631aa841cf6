package kvasir.metal.snp.psp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import kvasir.registry.Bytes;

/** The SHA-384 chain over PAGE_INFO structures (SNP ABI, launch digest; confirmed by virtee/sev-snp-measure). */
final class LaunchDigest {
    static final int BYTES = 48;
    private static final int PAGE_INFO_BYTES = 0x70;

    private LaunchDigest() {}

    /**
     * The digest after one 4 KiB page.
     *
     * @param before digest so far, 48 bytes
     * @param contents SHA-384 of the page, or 48 zero bytes
     * @param permissions VMPL1 in the low byte, then VMPL2 and VMPL3
     */
    static Bytes extend(Bytes before, Bytes contents, PageType type, boolean imi, int permissions, long gpa) {
        ByteBuffer info = ByteBuffer.allocate(PAGE_INFO_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        info.put(before.toArray());
        info.put(contents.toArray());
        info.putShort((short) PAGE_INFO_BYTES);
        info.put((byte) type.code());
        info.put((byte) (imi ? 1 : 0));
        info.put((byte) (permissions >>> 16));
        info.put((byte) (permissions >>> 8));
        info.put((byte) permissions);
        info.put((byte) 0);
        info.putLong(gpa);
        return Digests.sha384(info.array());
    }
}
