package kvasir.metal.snp.psp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import kvasir.registry.Bytes;

/** The attestation report, version 2: 1184 bytes, signed with the VCEK (SNP ABI, attestation report). */
final class AttestationReport {
    static final int BYTES = 0x4a0;
    private static final int SIGNED_BYTES = 0x2a0;
    private static final int ECDSA_P384_SHA384 = 1;
    private static final int COORDINATE_BYTES = 72;
    private static final int SIGNED_BY_VLEK = 1;
    private static final int NOT_SIGNED = 7;

    private AttestationReport() {}

    static byte[] build(Platform platform, GuestContext context, int vmpl, Bytes reportData, Optional<Bytes> vlek) {
        PlatformConfig config = platform.config;
        boolean maskChipId = (platform.configuration() & 1) != 0;
        boolean maskChipKey = (platform.configuration() & 2) != 0;
        var report = new byte[BYTES];
        ByteBuffer out = ByteBuffer.wrap(report).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(0x000, 2);
        out.putInt(0x004, context.guestSvn());
        out.putLong(0x008, context.policy().bits());
        out.put(0x010, context.familyId().toArray());
        out.put(0x020, context.imageId().toArray());
        out.putInt(0x030, vmpl);
        out.putInt(0x034, ECDSA_P384_SHA384);
        out.putLong(0x038, platform.currentTcb());
        out.putLong(0x040, (config.smt() ? 1 : 0) | (platform.raplDisabled() ? 1 << 3 : 0));
        int signer = vlek.isPresent() ? SIGNED_BY_VLEK : maskChipKey ? NOT_SIGNED : 0;
        boolean authorKey = context.has(GuestContext.Flag.AUTHOR_KEY);
        out.putInt(0x048, (authorKey ? 1 : 0) | (maskChipKey ? 2 : 0) | signer << 2);
        out.put(0x050, reportData.toArray());
        out.put(0x090, context.digest().toArray());
        out.put(0x0c0, context.hostData().toArray());
        out.put(0x0e0, context.idKeyDigest().toArray());
        out.put(0x110, context.authorKeyDigest().toArray());
        out.put(0x140, context.reportId().toArray());
        out.put(0x160, context.reportIdMa().toArray());
        out.putLong(0x180, platform.reportedTcb());
        if (!maskChipId) {
            out.put(0x1a0, ChipKeys.chipId(config.seed()).toArray());
        }
        out.putLong(0x1e0, platform.committedTcb());
        putVersion(out, 0x1e8, platform.currentVersion());
        putVersion(out, 0x1ec, platform.committedVersion());
        out.putLong(0x1f0, context.launchTcb());
        if (signer != NOT_SIGNED) {
            byte[] signature = new ChipKeys(vlek.orElse(config.seed()), Tcb.of(platform.reportedTcb()))
                    .sign(Arrays.copyOf(report, SIGNED_BYTES));
            littleEndian(signature, 0, report, SIGNED_BYTES);
            littleEndian(signature, signature.length / 2, report, SIGNED_BYTES + COORDINATE_BYTES);
        }
        return report;
    }

    /** Build, minor, major. */
    private static void putVersion(ByteBuffer out, int at, int version) {
        out.put(at, (byte) version).put(at + 1, (byte) (version >>> 8)).put(at + 2, (byte) (version >>> 16));
    }

    private static void littleEndian(byte[] big, int from, byte[] target, int at) {
        int bytes = big.length / 2;
        for (int i = 0; i < bytes; i++) {
            target[at + i] = big[from + bytes - 1 - i];
        }
    }
}
