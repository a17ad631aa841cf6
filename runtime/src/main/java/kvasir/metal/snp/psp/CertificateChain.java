package kvasir.metal.snp.psp;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.ArrayList;
import java.util.List;
import kvasir.registry.Bytes;

/**
 * ARK, ASK and VCEK certificates in the form AMD's key server gives them out: X.509 v3, signed with RSASSA-PSS and
 * SHA-384; the VCEK has the TCB parts and the chip id as extensions under 1.3.6.1.4.1.3704.1. The authorities are not
 * AMD's: their subjects say so, and their keys follow from a constant.
 */
final class CertificateChain {
    private static final String AMD = "1.3.6.1.4.1.3704.1";
    private static final int SALT_BYTES = 48;
    private static final PSSParameterSpec PSS =
            new PSSParameterSpec("SHA-384", "MGF1", MGF1ParameterSpec.SHA384, SALT_BYTES, 1);

    private CertificateChain() {}

    /** Generated at first use: two RSA keys of 4096 bits take a few seconds. */
    private static final class Authorities {
        static final KeyPair ARK = rsa("ARK");
        static final KeyPair ASK = rsa("ASK");
        static final Bytes ARK_CERTIFICATE =
                certificate(1, "ARK-Milan", "ARK-Milan", ARK.getPublic(), ARK.getPrivate(), authority());
        static final Bytes ASK_CERTIFICATE =
                certificate(2, "ARK-Milan", "SEV-Milan", ASK.getPublic(), ARK.getPrivate(), authority());

        private Authorities() {}
    }

    /** Signature of the platform's root over {@code content}, 512 bytes. */
    static byte[] signByRoot(byte[] content) {
        return sign(Authorities.ARK.getPrivate(), content);
    }

    /** Whether the root has signed {@code content}. */
    static boolean signedByRoot(byte[] content, byte[] signature) {
        try {
            Signature verifier = Signature.getInstance("RSASSA-PSS");
            verifier.setParameter(PSS);
            verifier.initVerify(Authorities.ARK.getPublic());
            verifier.update(content);
            return verifier.verify(signature);
        } catch (SignatureException e) {
            return false;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has RSASSA-PSS", e);
        }
    }

    /** VLEK, ASVK, ARK: the key is the same on all of a cloud's chips, so it has no chip id. */
    static List<Bytes> ofVlek(Bytes vlek, Tcb reported) {
        Bytes certificate = certificate(
                5,
                "SEV-VLEK-Milan",
                "SEV-VLEK",
                new ChipKeys(vlek, reported).publicKey(),
                Vendor.ASVK.getPrivate(),
                concatenated(tcbExtensions(reported)));
        return List.of(certificate, Vendor.ASVK_CERTIFICATE, Authorities.ARK_CERTIFICATE);
    }

    /** The authority over VLEKs; generated at first use. */
    private static final class Vendor {
        static final KeyPair ASVK = rsa("ASVK");
        static final Bytes ASVK_CERTIFICATE = certificate(
                4, "ARK-Milan", "SEV-VLEK-Milan", ASVK.getPublic(), Authorities.ARK.getPrivate(), authority());

        private Vendor() {}
    }

    /** VCEK, ASK, ARK. */
    static List<Bytes> of(Bytes seed, Tcb reported) {
        Bytes vcek = certificate(
                3,
                "SEV-Milan",
                "SEV-VCEK",
                new ChipKeys(seed, reported).publicKey(),
                Authorities.ASK.getPrivate(),
                vcekExtensions(seed, reported));
        return List.of(vcek, Authorities.ASK_CERTIFICATE, Authorities.ARK_CERTIFICATE);
    }

    private static KeyPair rsa(String name) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(4096, new SeededRandom(Bytes.of(new byte[32]), "authority " + name));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has RSA", e);
        }
    }

    private static byte[] extension(String oid, byte[] value) {
        return Der.sequence(Der.oid(oid), Der.octets(value));
    }

    /** Basic constraints: this key signs certificates. */
    private static byte[] authority() {
        return Der.sequence(Der.oid("2.5.29.19"), Der.yes(), Der.octets(Der.sequence(Der.yes())));
    }

    private static byte[] vcekExtensions(Bytes seed, Tcb tcb) {
        List<byte[]> parts = tcbExtensions(tcb);
        parts.add(extension(AMD + ".4", ChipKeys.chipId(seed).toArray()));
        return concatenated(parts);
    }

    private static List<byte[]> tcbExtensions(Tcb tcb) {
        var parts = new ArrayList<byte[]>();
        parts.add(extension(AMD + ".1", Der.integer(0)));
        parts.add(extension(AMD + ".2", Der.ia5("Milan-B0")));
        parts.add(extension(AMD + ".3.1", Der.integer(tcb.bootLoader())));
        parts.add(extension(AMD + ".3.2", Der.integer(tcb.tee())));
        parts.add(extension(AMD + ".3.3", Der.integer(tcb.snp())));
        for (int spare = 4; spare <= 7; spare++) {
            parts.add(extension(AMD + ".3." + spare, Der.integer(0)));
        }
        parts.add(extension(AMD + ".3.8", Der.integer(tcb.microcode())));
        return parts;
    }

    private static byte[] concatenated(List<byte[]> parts) {
        var out = new java.io.ByteArrayOutputStream();
        parts.forEach(out::writeBytes);
        return out.toByteArray();
    }

    private static byte[] name(String common) {
        return Der.sequence(
                Der.set(Der.sequence(Der.oid("2.5.4.10"), Der.utf8("Kvasir emulated platform"))),
                Der.set(Der.sequence(Der.oid("2.5.4.3"), Der.utf8(common))));
    }

    private static byte[] algorithm() {
        byte[] sha384 = Der.sequence(Der.oid("2.16.840.1.101.3.4.2.2"), Der.absent());
        return Der.sequence(
                Der.oid("1.2.840.113549.1.1.10"),
                Der.sequence(
                        Der.context(0, sha384),
                        Der.context(1, Der.sequence(Der.oid("1.2.840.113549.1.1.8"), sha384)),
                        Der.context(2, Der.integer(SALT_BYTES))));
    }

    private static Bytes certificate(
            long serial, String issuer, String subject, PublicKey key, PrivateKey signer, byte[] extensions) {
        byte[] toBeSigned = Der.sequence(
                Der.context(0, Der.integer(2)),
                Der.integer(serial),
                algorithm(),
                name(issuer),
                Der.sequence(Der.utcTime("200101000000Z"), Der.utcTime("491231235959Z")),
                name(subject),
                key.getEncoded(),
                Der.context(3, Der.sequence(extensions)));
        return Bytes.of(Der.sequence(toBeSigned, algorithm(), Der.bits(sign(signer, toBeSigned))));
    }

    private static byte[] sign(PrivateKey key, byte[] content) {
        try {
            Signature signer = Signature.getInstance("RSASSA-PSS");
            signer.setParameter(PSS);
            signer.initSign(
                    key,
                    new SeededRandom(
                            Bytes.of(new byte[32]),
                            "salt " + Digests.sha384(content).hex()));
            signer.update(content);
            return signer.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has RSASSA-PSS", e);
        }
    }
}
