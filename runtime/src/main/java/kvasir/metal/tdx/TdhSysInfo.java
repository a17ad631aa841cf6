package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.R9;
import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/**
 * TDH.SYS.INFO (32), the enumeration of release 1.0: RCX = TDSYSINFO_STRUCT buffer, RDX = its size, R8 = CMR array, R9 =
 * its entries. Out RDX = bytes written, R9 = entries written.
 */
final class TdhSysInfo {
    private static final int STRUCT_BYTES = 1024;
    private static final int CMR_ENTRIES = 32;

    private TdhSysInfo() {}

    static void run(HostCall call) {
        call.lockSys();
        call.sharedHpa(RCX, STRUCT_BYTES, STRUCT_BYTES);
        call.check(c -> c.in(RDX) >= STRUCT_BYTES, Status.OPERAND_INVALID.on(RDX));
        call.sharedHpa(R8, 512, CMR_ENTRIES * 16L);
        call.check(c -> c.in(R9) >= CMR_ENTRIES, Status.OPERAND_INVALID.on(R9));
        if (call.failed()) {
            return;
        }
        writeInfo(call, call.plain(call.in(RCX)));
        var ranges = call.state.platform.convertible();
        for (int i = 0; i < CMR_ENTRIES; i++) {
            long entry = call.plain(call.in(R8)) + 16L * i;
            call.memory.write64(entry, i < ranges.size() ? ranges.get(i).start() : 0);
            call.memory.write64(entry + 8, i < ranges.size() ? ranges.get(i).size() : 0);
        }
        call.out(RDX, STRUCT_BYTES);
        call.out(R9, CMR_ENTRIES);
    }

    /** TDSYSINFO_STRUCT, with the offsets of the 1.0 ABI. */
    private static void writeInfo(HostCall call, long at) {
        var memory = call.memory;
        for (int i = 0; i < STRUCT_BYTES; i += 8) {
            memory.write64(at + i, 0);
        }
        memory.write32(at + 4, 0x8086);
        memory.write16(at + 14, (short) SysFields.MINOR_VERSION);
        memory.write16(at + 16, (short) SysFields.MAJOR_VERSION);
        memory.write16(at + 32, (short) TdhSysConfig.MAX_TDMRS);
        memory.write16(at + 34, (short) TdhSysConfig.MAX_RESERVED);
        memory.write16(at + 36, (short) Pamt.ENTRY_BYTES);
        memory.write16(at + 48, (short) (Tdr.TDCS_PAGES * 4096));
        memory.write16(at + 52, (short) (Tdvps.PAGES * 4096));
        memory.write64(at + 64, TdParams.ATTRIBUTES_FIXED0);
        memory.write64(at + 72, TdParams.ATTRIBUTES_FIXED1);
        memory.write64(at + 80, TdParams.XFAM_FIXED0);
        memory.write64(at + 88, TdParams.XFAM_FIXED1);
        memory.write32(at + 128, CpuidConfig.ALL.size());
        long entry = at + 132;
        for (CpuidConfig config : CpuidConfig.ALL) {
            memory.write32(entry, config.leaf());
            memory.write32(entry + 4, config.subleaf());
            for (int register = 0; register < 4; register++) {
                memory.write32(entry + 8 + 4 * register, config.mask(register));
            }
            entry += 24;
        }
    }
}
