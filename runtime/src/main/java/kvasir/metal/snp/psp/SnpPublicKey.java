package kvasir.metal.snp.psp;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.util.Arrays;
import kvasir.registry.Bytes;

/** A public key in the firmware's own form, 1028 bytes: u32 curve (2 = P-384), X and Y as 72 bytes little-endian, zeros. */
public final class SnpPublicKey {
    /** Bytes of the form. */
    public static final int BYTES = 1028;

    private static final int P384 = 2;
    private static final int COORDINATE_BYTES = 72;
    private static final int P384_BYTES = 48;

    private final byte[] form;

    SnpPublicKey(byte[] form) {
        this.form = form.clone();
    }

    /** The form of the P-384 key with these coordinates. */
    public static SnpPublicKey p384(BigInteger x, BigInteger y) {
        var form = new byte[BYTES];
        form[0] = P384;
        putLittleEndian(x, form, 4);
        putLittleEndian(y, form, 4 + COORDINATE_BYTES);
        return new SnpPublicKey(form);
    }

    /** The 1028 bytes. */
    public byte[] encoded() {
        return form.clone();
    }

    /** The key's name in reports: SHA-384 over all 1028 bytes. */
    public Bytes digest() {
        return Digests.sha384(form);
    }

    boolean curveKnown() {
        return ByteBuffer.wrap(form).order(ByteOrder.LITTLE_ENDIAN).getInt(0) == P384;
    }

    /**
     * Whether {@code signature} (R and S as 72 bytes little-endian) is this key's ECDSA signature with SHA-384 over
     * {@code content}.
     */
    boolean verifies(byte[] content, byte[] signature) {
        try {
            Signature verifier = Signature.getInstance("SHA384withECDSAinP1363Format");
            verifier.initVerify(key());
            verifier.update(content);
            var fixed = new byte[2 * P384_BYTES];
            for (int i = 0; i < P384_BYTES; i++) {
                fixed[P384_BYTES - 1 - i] = signature[i];
                fixed[2 * P384_BYTES - 1 - i] = signature[COORDINATE_BYTES + i];
            }
            return verifier.verify(fixed);
        } catch (SignatureException
                | java.security.InvalidKeyException
                | java.security.spec.InvalidKeySpecException e) {
            return false;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has ECDSA on P-384", e);
        }
    }

    private PublicKey key() throws GeneralSecurityException {
        AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
        parameters.init(new ECGenParameterSpec("secp384r1"));
        var point = new ECPoint(littleEndian(4), littleEndian(4 + COORDINATE_BYTES));
        return KeyFactory.getInstance("EC")
                .generatePublic(new ECPublicKeySpec(point, parameters.getParameterSpec(ECParameterSpec.class)));
    }

    private BigInteger littleEndian(int at) {
        return new BigInteger(1, reversed(Arrays.copyOfRange(form, at, at + COORDINATE_BYTES)));
    }

    /** Writes a non-negative number of at most 48 bytes, least significant byte first. */
    static void putLittleEndian(BigInteger number, byte[] target, int at) {
        byte[] big = number.toByteArray();
        for (int i = 0; i < Math.min(big.length, P384_BYTES); i++) {
            target[at + i] = big[big.length - 1 - i];
        }
    }

    private static byte[] reversed(byte[] bytes) {
        var result = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            result[i] = bytes[bytes.length - 1 - i];
        }
        return result;
    }
}
