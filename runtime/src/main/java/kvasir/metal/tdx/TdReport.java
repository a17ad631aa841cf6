package kvasir.metal.tdx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * TDREPORT_STRUCT, 1024 bytes: REPORTMACSTRUCT 0-255, TEE_TCB_INFO 256-494, TDINFO_STRUCT 512-1023. The MAC is keyed by a
 * secret of this platform, as EREPORT's is; CPUSVN and MRSEAM are this model's own.
 */
final class TdReport {
    static final int BYTES = 1024;
    static final int MAC_STRUCT_BYTES = 256;
    static final int REPORT_DATA_BYTES = 64;

    private static final int TYPE_TDX = 0x81;
    private static final int CPUSVN = 16;
    private static final int CPUSVN_BYTES = 16;
    private static final int TCB_INFO_HASH = 32;
    private static final int INFO_HASH = 80;
    private static final int REPORT_DATA = 128;
    private static final int MAC = 224;
    private static final int TCB_INFO = 256;
    private static final int TCB_INFO_BYTES = 239;
    private static final int INFO = 512;
    private static final int INFO_BYTES = 512;
    private static final long TCB_INFO_VALID = 0x301ff;

    private TdReport() {}

    static byte[] of(Tdcs tdcs, byte[] reportData, byte[] key) {
        ByteBuffer report = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        report.put(0, (byte) TYPE_TDX);
        report.put(CPUSVN, cpuSvn());
        report.putLong(TCB_INFO, TCB_INFO_VALID);
        report.put(TCB_INFO + 8, (byte) SysFields.MINOR_VERSION);
        report.put(TCB_INFO + 9, (byte) SysFields.MAJOR_VERSION);
        report.put(TCB_INFO + 24, Digests.sha384(new byte[] {'K', 'v', 'a', 's', 'i', 'r'}));
        report.put(INFO, info(tdcs));
        report.put(TCB_INFO_HASH, hash(report.array(), TCB_INFO, TCB_INFO_BYTES));
        report.put(INFO_HASH, hash(report.array(), INFO, INFO_BYTES));
        report.put(REPORT_DATA, reportData);
        report.put(MAC, Digests.hmacSha256(key, Arrays.copyOf(report.array(), MAC)));
        return report.array();
    }

    /** TDINFO_STRUCT, 512 bytes. */
    static byte[] info(Tdcs tdcs) {
        ByteBuffer info = ByteBuffer.allocate(INFO_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        info.putLong(tdcs.attributes()).putLong(tdcs.xfam());
        info.put(tdcs.mrtd().toArray());
        for (int field : new int[] {Tdcs.MRCONFIGID, Tdcs.MROWNER, Tdcs.MROWNERCONFIG}) {
            info.put(tdcs.bytes(field, Sha384.DIGEST_BYTES).toArray());
        }
        for (int index = 0; index < 4; index++) {
            info.put(tdcs.rtmr(index).toArray());
        }
        info.put(tdcs.bytes(Tdcs.SERVTD_HASH, Sha384.DIGEST_BYTES).toArray());
        return info.array();
    }

    /** 0 if the platform with that key made the structure. */
    static long verify(byte[] macStruct, byte[] key) {
        if (!Arrays.equals(Arrays.copyOfRange(macStruct, CPUSVN, CPUSVN + CPUSVN_BYTES), cpuSvn())) {
            return Status.INVALID_CPUSVN.value();
        }
        byte[] mac = Digests.hmacSha256(key, Arrays.copyOf(macStruct, MAC));
        return Arrays.equals(mac, Arrays.copyOfRange(macStruct, MAC, MAC_STRUCT_BYTES))
                ? 0
                : Status.INVALID_REPORTMACSTRUCT.value();
    }

    private static byte[] cpuSvn() {
        var svn = new byte[CPUSVN_BYTES];
        svn[0] = 1;
        return svn;
    }

    private static byte[] hash(byte[] report, int from, int length) {
        return Digests.sha384(Arrays.copyOfRange(report, from, from + length));
    }
}
