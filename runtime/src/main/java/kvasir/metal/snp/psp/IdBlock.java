package kvasir.metal.snp.psp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import kvasir.registry.Bytes;

/**
 * The 96-byte ID block: what the guest's owner signs (SNP ABI, ID block).
 *
 * @param digest the launch digest it is for, 48 bytes
 * @param familyId 16 bytes
 * @param imageId 16 bytes
 * @param version 1
 */
public record IdBlock(Bytes digest, Bytes familyId, Bytes imageId, int version, int guestSvn, long policy) {
    /** Bytes of the structure. */
    public static final int BYTES = 96;

    /** The structure as bytes. */
    public Bytes encode() {
        return Bytes.of(ByteBuffer.allocate(BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(digest.toArray())
                .put(familyId.toArray())
                .put(imageId.toArray())
                .putInt(version)
                .putInt(guestSvn)
                .putLong(policy)
                .array());
    }

    /** Reads the structure from its 96 bytes. */
    public static IdBlock decode(Bytes bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes.toArray()).order(ByteOrder.LITTLE_ENDIAN);
        return new IdBlock(take(in, 48), take(in, 16), take(in, 16), in.getInt(), in.getInt(), in.getLong());
    }

    private static Bytes take(ByteBuffer in, int bytes) {
        var content = new byte[bytes];
        in.get(content);
        return Bytes.of(content);
    }
}
