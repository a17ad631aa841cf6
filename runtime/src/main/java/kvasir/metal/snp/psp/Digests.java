package kvasir.metal.snp.psp;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import kvasir.registry.Bytes;

/** The hashes that the firmware uses. */
final class Digests {
    private Digests() {}

    /** SHA-384, 48 bytes. */
    static Bytes sha384(byte[] content) {
        try {
            return Bytes.of(MessageDigest.getInstance("SHA-384").digest(content));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has SHA-384", e);
        }
    }

    /** HMAC-SHA-256, 32 bytes. */
    static byte[] hmac256(byte[] key, byte[]... parts) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            for (byte[] part : parts) {
                mac.update(part);
            }
            return mac.doFinal();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has HMAC-SHA-256", e);
        }
    }
}
