package kvasir.metal.snp.psp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Optional;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import kvasir.registry.Bytes;

/** AES-256-GCM under a guest's offline encryption key: an IV of 8 bytes, no additional data, a tag of 16 bytes. */
final class SwapSeal {
    private static final int TAG_BYTES = 16;

    private SwapSeal() {}

    /** Ciphertext and tag of a page. */
    @SuppressWarnings("ArrayRecordComponent") // a page on its way into memory
    record Sealed(byte[] content, byte[] tag) {}

    static Sealed seal(Bytes key, long iv, byte[] content) {
        try {
            byte[] out = cipher(Cipher.ENCRYPT_MODE, key, iv).doFinal(content);
            return new Sealed(Arrays.copyOf(out, content.length), Arrays.copyOfRange(out, content.length, out.length));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has AES-256-GCM", e);
        }
    }

    /** The content, if the tag fits. */
    static Optional<byte[]> open(Bytes key, long iv, Bytes tag, byte[] sealed) {
        try {
            byte[] all = Arrays.copyOf(sealed, sealed.length + TAG_BYTES);
            System.arraycopy(tag.toArray(), 0, all, sealed.length, TAG_BYTES);
            return Optional.of(cipher(Cipher.DECRYPT_MODE, key, iv).doFinal(all));
        } catch (AEADBadTagException e) {
            return Optional.empty();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has AES-256-GCM", e);
        }
    }

    private static Cipher cipher(int mode, Bytes key, long iv) throws GeneralSecurityException {
        byte[] nonce = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(iv)
                .array();
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, new SecretKeySpec(key.toArray(), "AES"), new GCMParameterSpec(8 * TAG_BYTES, nonce));
        return cipher;
    }
}
