package kvasir.metal.snp.psp;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import kvasir.registry.Bytes;

/** A deterministic stream that key generators take as randomness: HMAC-SHA-256 in counter mode under a seed. */
final class SeededRandom extends SecureRandom {
    private static final long serialVersionUID = 1;

    private final byte[] seed;
    private final byte[] purpose;
    private long block;
    private byte[] current = {};
    private int used;

    SeededRandom(Bytes seed, String purpose) {
        this.seed = seed.toArray();
        this.purpose = purpose.getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public void nextBytes(byte[] bytes) {
        for (int i = 0; i < bytes.length; i++) {
            if (used == current.length) {
                current = Digests.hmac256(
                        seed, purpose, ByteBuffer.allocate(8).putLong(block++).array());
                used = 0;
            }
            bytes[i] = current[used++];
        }
    }
}
