package kvasir.metal.snp.psp;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import kvasir.registry.Bytes;

/**
 * The launch measurement of a plain SEV or SEV-ES guest: SHA-256 over everything that LAUNCH_UPDATE_DATA and
 * LAUNCH_UPDATE_VMSA were given, in that order (SEV API, 55766). Of the old API only this is modelled.
 */
public final class SevLaunch {
    private final MessageDigest digest;

    private SevLaunch(MessageDigest digest) {
        this.digest = digest;
    }

    /** A launch that has come as far as this one. */
    public SevLaunch copy() {
        try {
            return new SevLaunch((MessageDigest) digest.clone());
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException("SHA-256 of the JDK can be cloned", e);
        }
    }

    /** LAUNCH_START. */
    public SevLaunch() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** LAUNCH_UPDATE_DATA; the real command takes multiples of 16 bytes only and returns INVALID_LENGTH else. */
    public FirmwareStatus updateData(Bytes data) {
        if (data.length() % 16 != 0) {
            return FirmwareStatus.INVALID_LENGTH;
        }
        digest.update(data.toArray());
        return FirmwareStatus.SUCCESS;
    }

    /** LAUNCH_UPDATE_VMSA with a 4096-byte page. */
    public FirmwareStatus updateVmsa(Bytes page) {
        if (page.length() != 4096) {
            return FirmwareStatus.INVALID_LENGTH;
        }
        digest.update(page.toArray());
        return FirmwareStatus.SUCCESS;
    }

    /** The GCTX.LD field of LAUNCH_MEASURE, 32 bytes; the launch is over. */
    public Bytes finish() {
        return Bytes.of(digest.digest());
    }
}
