package kvasir.metal.tdx;

import java.util.ArrayList;
import java.util.List;

/** Global metadata fields, read by TDH.SYS.RD and TDG.SYS.RD. */
final class SysFields {
    static final int MAJOR_VERSION = 1;
    static final int MINOR_VERSION = 5;
    static final int UPDATE_VERSION = 1;

    /** TDX_FEATURES0 bits: VP.RD/WR for guests 3, relaxed concurrency 4, host priority locks 10, PENDING_EPT_VIOLATION_V2 16, NO_RBP_MOD 18, TOPOLOGY_ENUM 20. */
    static final long FEATURES0 = 1L << 3 | 1L << 4 | 1L << 10 | 1L << 16 | 1L << 18 | 1L << 20;

    static final int MAX_VCPUS_PER_TD = 0xffff;

    static final FieldTable<TdxModule> TABLE = new FieldTable<>(table());

    private SysFields() {}

    private static List<Field<TdxModule>> table() {
        var rows = new ArrayList<Field<TdxModule>>();
        rows.add(constant("MINOR_VERSION", 0x0800000100000003L, MINOR_VERSION));
        rows.add(constant("MAJOR_VERSION", 0x0800000100000004L, MAJOR_VERSION));
        rows.add(constant("UPDATE_VERSION", 0x0800000100000005L, UPDATE_VERSION));
        rows.add(constant("TDX_FEATURES0", 0x0A00000300000008L, FEATURES0));
        rows.add(constant("MAX_TDMRS", 0x9100000100000008L, TdhSysConfig.MAX_TDMRS));
        rows.add(constant("MAX_RESERVED_PER_TDMR", 0x9100000100000009L, TdhSysConfig.MAX_RESERVED));
        rows.add(constant("PAMT_4K_ENTRY_SIZE", 0x9100000100000010L, Pamt.ENTRY_BYTES));
        rows.add(constant("PAMT_2M_ENTRY_SIZE", 0x9100000100000011L, Pamt.ENTRY_BYTES));
        rows.add(constant("PAMT_1G_ENTRY_SIZE", 0x9100000100000012L, Pamt.ENTRY_BYTES));
        rows.add(constant("TDR_BASE_SIZE", 0x9800000100000000L, 4096));
        rows.add(constant("TDCS_BASE_SIZE", 0x9800000100000100L, Tdr.TDCS_PAGES * 4096L));
        rows.add(constant("TDVPS_BASE_SIZE", 0x9800000100000200L, Tdvps.PAGES * 4096L));
        rows.add(constant("ATTRIBUTES_FIXED0", 0x1900000300000000L, TdParams.ATTRIBUTES_FIXED0));
        rows.add(constant("ATTRIBUTES_FIXED1", 0x1900000300000001L, TdParams.ATTRIBUTES_FIXED1));
        rows.add(constant("XFAM_FIXED0", 0x1900000300000002L, TdParams.XFAM_FIXED0));
        rows.add(constant("XFAM_FIXED1", 0x1900000300000003L, TdParams.XFAM_FIXED1));
        rows.add(constant("NUM_CPUID_CONFIG", 0x9900000100000004L, CpuidConfig.ALL.size()));
        rows.add(constant("MAX_VCPUS_PER_TD", 0x9900000100000008L, MAX_VCPUS_PER_TD));
        rows.add(array("CPUID_CONFIG_LEAVES", 0x9900000300000400L, CpuidConfig.ALL.size(), SysFields::leaf));
        rows.add(array("CPUID_CONFIG_VALUES", 0x9900000300000500L, 2 * CpuidConfig.ALL.size(), SysFields::masks));
        return rows;
    }

    private static long leaf(int index) {
        CpuidConfig config = CpuidConfig.ALL.get(index);
        return config.leaf() & 0xffff_ffffL | config.wireSubleaf() << 32;
    }

    private static long masks(int index) {
        CpuidConfig config = CpuidConfig.ALL.get(index / 2);
        int first = 2 * (index % 2);
        return config.mask(first) & 0xffff_ffffL | (long) config.mask(first + 1) << 32;
    }

    private static Field<TdxModule> constant(String name, long id, long value) {
        return array(name, id, 1, index -> value);
    }

    private static Field<TdxModule> array(
            String name, long id, int elements, java.util.function.IntToLongFunction value) {
        return new Field<>(
                name,
                id,
                elements,
                Field.Access.READ,
                Field.Access.READ,
                (module, index) -> value.applyAsLong(index),
                (module, store) -> {});
    }
}
