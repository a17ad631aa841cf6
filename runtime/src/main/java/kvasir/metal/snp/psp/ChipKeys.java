package kvasir.metal.snp.psp;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import kvasir.registry.Bytes;

/** The chip's identity and its VCEK, which follow from the seed; the VCEK also from the reported TCB. */
final class ChipKeys {
    private final KeyPair vcek;
    private final Bytes seed;

    ChipKeys(Bytes seed, Tcb reported) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(
                    new ECGenParameterSpec("secp384r1"),
                    new SeededRandom(seed, "VCEK %016x".formatted(reported.version())));
            vcek = generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has P-384", e);
        }
        this.seed = seed;
    }

    /** CHIP_ID, 64 bytes. */
    static Bytes chipId(Bytes seed) {
        var id = new byte[64];
        new SeededRandom(seed, "CHIP_ID").nextBytes(id);
        return Bytes.of(id);
    }

    PublicKey publicKey() {
        return vcek.getPublic();
    }

    /** ECDSA with SHA-384: R and S, 48 bytes each, big-endian. */
    byte[] sign(byte[] content) {
        try {
            Signature signer = Signature.getInstance("SHA384withECDSAinP1363Format");
            String nonce = "nonce " + Digests.sha384(content).hex();
            signer.initSign(vcek.getPrivate(), new SeededRandom(seed, nonce));
            signer.update(content);
            return signer.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has ECDSA on P-384", e);
        }
    }
}
