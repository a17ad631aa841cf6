package kvasir.metal.snp.psp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import kvasir.registry.Bytes;

/**
 * The 4096-byte ID authentication page: 0x000 u32 algorithm of the ID key, 0x004 of the author key, 0x040 signature over
 * the ID block, 0x240 ID key, 0x680 author's signature over the ID key, 0x880 author key (SNP ABI, ID authentication).
 */
final class IdAuthentication {
    static final int BYTES = 4096;
    private static final int SIGNATURE_BYTES = 512;
    private static final int ECDSA_P384_SHA384 = 1;

    private final byte[] page;

    IdAuthentication(byte[] page) {
        this.page = page.clone();
    }

    boolean idAlgorithmKnown() {
        return u32(0) == ECDSA_P384_SHA384 && idKey().curveKnown();
    }

    boolean authorAlgorithmKnown() {
        return u32(4) == ECDSA_P384_SHA384 && authorKey().curveKnown();
    }

    /** Whether the ID key signed the ID block. */
    boolean signs(Bytes idBlock) {
        return idKey().verifies(idBlock.toArray(), slice(0x40, SIGNATURE_BYTES));
    }

    /** Whether the author key signed the ID key. */
    boolean authorSigns() {
        return authorKey().verifies(idKey().encoded(), slice(0x680, SIGNATURE_BYTES));
    }

    SnpPublicKey idKey() {
        return new SnpPublicKey(slice(0x240, SnpPublicKey.BYTES));
    }

    SnpPublicKey authorKey() {
        return new SnpPublicKey(slice(0x880, SnpPublicKey.BYTES));
    }

    private byte[] slice(int at, int bytes) {
        return Arrays.copyOfRange(page, at, at + bytes);
    }

    private int u32(int at) {
        return ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN).getInt(at);
    }
}
