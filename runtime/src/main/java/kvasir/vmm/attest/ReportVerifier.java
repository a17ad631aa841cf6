package kvasir.vmm.attest;

import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;

/** Verifies attestation reports as a relying party does: with the JDK only, and nothing of the firmware model. */
public final class ReportVerifier {
    private static final String AMD = "1.3.6.1.4.1.3704.1";

    private ReportVerifier() {}

    /** Why the report is not to be trusted, or "ok". */
    public static String verify(byte[] report, List<byte[]> chain) throws GeneralSecurityException {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        X509Certificate vcek = certificate(factory, chain.get(0));
        X509Certificate ask = certificate(factory, chain.get(1));
        X509Certificate ark = certificate(factory, chain.get(2));
        try {
            ark.verify(ark.getPublicKey());
            ask.verify(ark.getPublicKey());
            vcek.verify(ask.getPublicKey());
        } catch (GeneralSecurityException e) {
            return "chain: " + e.getMessage();
        }
        if (report.length != 1184) {
            return "length";
        }
        int[] offsets = {0x180, 0x181, 0x186, 0x187};
        String[] names = {".3.1", ".3.2", ".3.3", ".3.8"};
        for (int i = 0; i < offsets.length; i++) {
            if (integer(vcek.getExtensionValue(AMD + names[i])) != (report[offsets[i]] & 0xff)) {
                return "TCB " + names[i];
            }
        }
        boolean versioned = (report[0x48] >>> 2 & 7) == 1; // VLEK: a key of many chips
        if (!versioned && vcek.getExtensionValue(AMD + ".4") == null) {
            return "chip id";
        }
        if (!versioned
                && !Arrays.equals(
                        octets(vcek.getExtensionValue(AMD + ".4")), Arrays.copyOfRange(report, 0x1a0, 0x1e0))) {
            return "chip id";
        }
        Signature signature = Signature.getInstance("SHA384withECDSAinP1363Format");
        signature.initVerify(vcek.getPublicKey());
        signature.update(report, 0, 0x2a0);
        var fixed = new byte[96];
        for (int i = 0; i < 48; i++) {
            fixed[i] = report[0x2a0 + 47 - i];
            fixed[48 + i] = report[0x2a0 + 72 + 47 - i];
        }
        return signature.verify(fixed) ? "ok" : "signature";
    }

    private static X509Certificate certificate(CertificateFactory factory, byte[] der) throws GeneralSecurityException {
        return (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(der));
    }

    /** The content of the octet string around an extension. */
    private static byte[] octets(byte[] extension) {
        int header = (extension[1] & 0xff) < 0x80 ? 2 : 3;
        return Arrays.copyOfRange(extension, header, extension.length);
    }

    private static int integer(byte[] extension) {
        byte[] inner = octets(extension);
        return new BigInteger(Arrays.copyOfRange(inner, 2, inner.length)).intValue();
    }
}
