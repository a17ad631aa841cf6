package kvasir.metal.tdx;

import java.util.ArrayList;
import java.util.List;
import kvasir.metal.tdx.Field.Access;

/** Metadata fields of a TD (TDR and TDCS): TDH.MNG.RD/WR and TDG.VM.RD/WR. Masks are those of a production TD. */
final class TdFields {
    static final FieldTable<Tdr> TABLE = new FieldTable<>(table());

    private TdFields() {}

    private static List<Field<Tdr>> table() {
        var rows = new ArrayList<Field<Tdr>>();
        rows.add(tdr("FATAL", 0x8010000000000001L, 1, Tdr.FATAL, Access.READ, Access.NONE));
        rows.add(tdr("NUM_TDCX", 0x8010000200000002L, 1, Tdr.NUM_TDCX, Access.READ, Access.NONE));
        rows.add(tdr("CHLDCNT", 0x8010000300000004L, 1, Tdr.CHLDCNT, Access.READ, Access.NONE));
        rows.add(tdr("LIFECYCLE_STATE", 0x8010000200000005L, 1, Tdr.LIFECYCLE_STATE, Access.READ, Access.NONE));
        rows.add(tdr("TDCX_PA", 0x8010000300000010L, Tdr.TDCX_MAX, Tdr.TDCX_PA, Access.READ, Access.NONE));
        rows.add(tdr("TD_UUID", 0x8010000300000020L, 4, Tdr.TD_UUID, Access.READ, Access.READ));
        rows.add(tdr("HKID", 0x8110000100000001L, 1, Tdr.HKID, Access.READ, Access.NONE));
        rows.add(tdr("PKG_CONFIG_BITMAP", 0x8110000300000002L, 1, Tdr.PKG_CONFIG_BITMAP, Access.READ, Access.NONE));

        rows.add(tdcs("NUM_VCPUS", 0x9010000200000001L, 1, Tdcs.NUM_VCPUS, Access.READ, Access.READ));
        rows.add(tdcs("NUM_ASSOC_VCPUS", 0x9010000200000002L, 1, Tdcs.NUM_ASSOC_VCPUS, Access.READ, Access.NONE));
        rows.add(tdcs("OP_STATE", 0x9010000200000004L, 1, Tdcs.OP_STATE, Access.READ, Access.NONE));
        rows.add(tdcs("NUM_L2_VMS", 0x9010000100000005L, 1, Tdcs.NUM_L2_VMS, Access.READ, Access.READ));
        rows.add(tdcs("ATTRIBUTES", 0x1110000300000000L, 1, Tdcs.ATTRIBUTES, Access.READ, Access.READ));
        rows.add(tdcs("XFAM", 0x1110000300000001L, 1, Tdcs.XFAM, Access.READ, Access.READ));
        rows.add(tdcs("MAX_VCPUS", 0x1110000200000002L, 1, Tdcs.MAX_VCPUS, Access.READ, Access.READ));
        rows.add(tdcs("GPAW", 0x1110000000000003L, 1, Tdcs.GPAW, Access.READ, Access.READ));
        rows.add(tdcs("EPTP", 0x1110000300000004L, 1, Tdcs.EPTP, Access.READ, Access.NONE));
        rows.add(tdcs("TSC_OFFSET", 0x111000030000000AL, 1, Tdcs.TSC_OFFSET, Access.READ, Access.NONE));
        rows.add(tdcs("TSC_MULTIPLIER", 0x111000030000000BL, 1, Tdcs.TSC_MULTIPLIER, Access.READ, Access.NONE));
        rows.add(tdcs("TSC_FREQUENCY", 0x111000010000000CL, 1, Tdcs.TSC_FREQUENCY, Access.READ, Access.READ));
        rows.add(tdcs("VIRTUAL_TSC", 0x111000030000000DL, 1, Tdcs.VIRTUAL_TSC, Access.NONE, Access.NONE));
        rows.add(tdcs("NOTIFY_ENABLES", 0x9110000300000010L, 1, Tdcs.NOTIFY_ENABLES, Access.NONE, Access.writable(1)));
        rows.add(tdcs("HP_LOCK_TIMEOUT", 0x9110000300000011L, 1, Tdcs.HP_LOCK_TIMEOUT, Access.READ_WRITE, Access.NONE));
        rows.add(tdcs("VM_CTLS", 0x9110000300000012L, 4, Tdcs.VM_CTLS, Access.writable(1), Access.READ));
        rows.add(tdcs("CONFIG_FLAGS", 0x1110000300000016L, 1, Tdcs.CONFIG_FLAGS, Access.READ, Access.READ));
        rows.add(tdcs("TD_CTLS", 0x1110000300000017L, 1, Tdcs.TD_CTLS, Access.NONE, Access.writable(1)));
        rows.add(tdcs("TD_EPOCH", 0x9210000300000000L, 1, Tdcs.TD_EPOCH, Access.READ, Access.NONE));
        rows.add(tdcs("REFCOUNT", 0x9210000100000001L, 2, Tdcs.REFCOUNT, Access.READ, Access.NONE));
        rows.add(tdcs("MRTD", 0x1310000300000000L, 6, Tdcs.MRTD, Access.READ, Access.READ));
        rows.add(tdcs("MRCONFIGID", 0x1310000300000010L, 6, Tdcs.MRCONFIGID, Access.READ, Access.READ));
        rows.add(tdcs("MROWNER", 0x1310000300000018L, 6, Tdcs.MROWNER, Access.READ, Access.READ));
        rows.add(tdcs("MROWNERCONFIG", 0x1310000300000020L, 6, Tdcs.MROWNERCONFIG, Access.READ, Access.READ));
        rows.add(tdcs("RTMR", 0x1310000300000040L, 24, Tdcs.RTMR, Access.NONE, Access.READ));
        rows.add(tdcs("SERVTD_HASH", 0x9910000300000000L, 6, Tdcs.SERVTD_HASH, Access.READ, Access.READ));
        for (CpuidRow row : CpuidRow.ALL) {
            rows.add(tdcs("CPUID_VALUES", row.fieldId(), 2, row.offset(), Access.READ, Access.NONE));
        }
        return rows;
    }

    /** Field code: bit 16 leaf[31], bits 15:9 leaf[6:0], bits 8:1 subleaf or all ones without, bit 0 the half. */
    static long cpuidValues(int leaf, int subleaf) {
        long index = subleaf < 0 ? 0x1fe : (subleaf & 0x7fL) << 1;
        return 0x9410000300000000L | (long) (leaf >>> 31) << 16 | (leaf & 0x7fL) << 9 | index;
    }

    private static Field<Tdr> tdr(String name, long id, int elements, int offset, Access host, Access guest) {
        int bytes = 1 << (int) (id >>> 32 & 3);
        return new Field<>(
                name,
                id,
                elements,
                host,
                guest,
                (tdr, i) -> tdr.memory().read64(tdr.hpa() + offset + (long) bytes * i),
                (tdr, store) -> {});
    }

    private static Field<Tdr> tdcs(String name, long id, int elements, int offset, Access host, Access guest) {
        int bytes = 1 << (int) (id >>> 32 & 3);
        return new Field<>(
                name,
                id,
                elements,
                host,
                guest,
                (tdr, i) -> tdr.tdcs().u64(offset + bytes * i),
                (tdr, store) -> tdr.tdcs().setU64(offset + 8 * store.index(), store.value()));
    }
}
