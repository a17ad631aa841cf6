package kvasir.metal.snp.psp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Optional;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import kvasir.registry.Bytes;

/**
 * A wrapped VLEK as the vendor's key server makes it for one chip: 12 bytes IV, 4 bytes 0, 384 bytes sealed with AES-256-GCM,
 * u64 TCB version, 8 bytes 0, tag; the TCB and what follows it are authenticated (AMD's published firmware,
 * {@code vlek_wrapped}). The wrapping key is the emulation's own derivation from the chip's secret.
 */
final class Vlek {
    static final int WRAPPED_BYTES = 0x1b0;
    private static final int SEALED = 0x10;
    private static final int SEALED_BYTES = 0x180;
    private static final int TCB = 0x190;
    private static final int TAG = 0x1a0;
    private static final int TAG_BYTES = 16;
    private static final int IV_BYTES = 12;

    private Vlek() {}

    /** What the key server gives to a cloud for the chip with this seed. */
    static Bytes wrapped(Bytes chip, long tcb) {
        var out = new byte[WRAPPED_BYTES];
        ByteBuffer.wrap(out).order(ByteOrder.LITTLE_ENDIAN).putInt(0, 1).putLong(TCB, tcb);
        var key = new byte[SEALED_BYTES];
        new SeededRandom(chip, "VLEK for a cloud at %016x".formatted(tcb)).nextBytes(key);
        try {
            byte[] sealed = cipher(Cipher.ENCRYPT_MODE, chip, out).doFinal(key);
            System.arraycopy(sealed, 0, out, SEALED, SEALED_BYTES);
            System.arraycopy(sealed, SEALED_BYTES, out, TAG, TAG_BYTES);
            return Bytes.of(out);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has AES-256-GCM", e);
        }
    }

    static long tcb(Bytes wrapped) {
        return ByteBuffer.wrap(wrapped.toArray()).order(ByteOrder.LITTLE_ENDIAN).getLong(TCB);
    }

    /** The key's seed, 32 bytes, if it was wrapped for this chip. */
    static Optional<Bytes> unwrap(Bytes chip, Bytes wrapped) {
        byte[] in = wrapped.toArray();
        byte[] sealed = Arrays.copyOfRange(in, SEALED, SEALED + SEALED_BYTES + TAG_BYTES);
        System.arraycopy(in, TAG, sealed, SEALED_BYTES, TAG_BYTES);
        try {
            return Optional.of(
                    Bytes.of(Arrays.copyOf(cipher(Cipher.DECRYPT_MODE, chip, in).doFinal(sealed), 32)));
        } catch (AEADBadTagException e) {
            return Optional.empty();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has AES-256-GCM", e);
        }
    }

    private static Cipher cipher(int mode, Bytes chip, byte[] page) throws GeneralSecurityException {
        byte[] key = Digests.hmac256(chip.toArray(), "VLEK wrapping key".getBytes(StandardCharsets.US_ASCII));
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(8 * TAG_BYTES, page, 0, IV_BYTES));
        cipher.updateAAD(page, TCB, TAG - TCB);
        return cipher;
    }
}
