package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/**
 * TDH.MNG.INIT (21): RCX = TDR, RDX = TD_PARAMS. Out RCX = 0, or the CPUID leaf in bits 31:0 and subleaf in bits 63:32
 * that was refused.
 */
final class TdhMngInit {
    /** Native time stamp counter of the platform, Hz; TSC_FREQUENCY counts 25 MHz. */
    private static final double NATIVE_HZ = 2_000_000_000.0;

    private static final double TSC_UNIT_HZ = 25_000_000.0;
    private static final int CPUID_RESERVED_FROM = 256 + 16 * 12;

    private TdhMngInit() {}

    static void run(HostCall call) {
        call.check(c -> !c.module.conditions().limitCpuidMaxval(), Status.LIMIT_CPUID_MAXVAL_SET.value());
        call.lockTdr(RCX, HostCall.EXCLUSIVE);
        call.tdcsCheck(OpState.FRESH, HostCall.OpStateLock.NONE);
        call.out(RCX, 0);
        call.sharedHpa(RDX, TdParams.BYTES, TdParams.BYTES);
        var params = new TdParams(call.memory, call.plain(call.in(RDX)));
        call.check(c -> params.attributesValid(), Status.OPERAND_INVALID.on(Operand.ATTRIBUTES));
        call.check(c -> params.xfamValid(), Status.OPERAND_INVALID.on(Operand.XFAM));
        call.check(c -> params.maxVcpus() != 0, Status.OPERAND_INVALID.on(Operand.MAX_VCPUS));
        call.check(c -> params.numL2Vms() <= 3, Status.OPERAND_INVALID.on(Operand.NUM_L2_VMS));
        call.check(c -> c.tdr().numTdcx() >= Tdr.TDCS_PAGES + params.numL2Vms(), Status.TDCS_NOT_ALLOCATED.value());
        call.check(c -> params.zero(20, 24), Status.OPERAND_INVALID.on(RDX));
        call.check(c -> params.configFlagsValid(), Status.OPERAND_INVALID.on(Operand.EXEC_CONTROLS));
        call.check(c -> params.eptpControlsValid(), Status.OPERAND_INVALID.on(Operand.EPTP_CONTROLS));
        call.check(
                c -> params.tscFrequency() >= 4 && params.tscFrequency() <= 400,
                Status.OPERAND_INVALID.on(Operand.TSC_FREQUENCY));
        call.check(c -> !c.module.conditions().tscAdjustChanged(), Status.INCONSISTENT_MSR.on(0x3b));
        call.check(
                c -> params.zero(42, 80) && params.msrConfigCtls() <= 1 && params.zero(232, 256),
                Status.OPERAND_INVALID.on(RDX));
        checkCpuid(call, params);
        call.check(c -> params.zero(CPUID_RESERVED_FROM, TdParams.BYTES), Status.OPERAND_INVALID.on(RDX));
        call.check(
                c -> (params.msrConfigCtls() & 1) != 0 || params.archCapabilities() == 0,
                Status.OPERAND_INVALID.on(Operand.IA32_ARCH_CAPABILITIES_CONFIG));
        if (call.failed()) {
            return;
        }
        store(call.tdcs(), params, call.module.tsc());
        call.module.startMeasurement(call.tdr());
        call.tdcs().setOpState(OpState.INITIALIZED);
    }

    private static void checkCpuid(HostCall call, TdParams params) {
        if (call.failed()) {
            return;
        }
        int wrong = params.wrongCpuid();
        if (wrong >= 0) {
            CpuidConfig config = CpuidConfig.ALL.get(wrong);
            call.out(RCX, config.leaf() & 0xffff_ffffL | config.wireSubleaf() << 32);
            call.fail(Status.OPERAND_INVALID.on(Operand.CPUID_CONFIG));
            return;
        }
        call.check(c -> params.tsxWhole(), Status.OPERAND_INVALID.on(Operand.CPUID_CONFIG));
    }

    private static void store(Tdcs tdcs, TdParams params, long tsc) {
        tdcs.setU64(Tdcs.ATTRIBUTES, params.attributes());
        tdcs.setU64(Tdcs.XFAM, params.xfam());
        tdcs.setU32(Tdcs.MAX_VCPUS, params.maxVcpus());
        tdcs.memory().write8(tdcs.at(Tdcs.NUM_L2_VMS), (byte) params.numL2Vms());
        tdcs.memory().write8(tdcs.at(Tdcs.GPAW), (byte) params.gpaw());
        tdcs.setU64(Tdcs.EPTP, params.eptpControls() | tdcs.septRoot());
        tdcs.setU64(Tdcs.CONFIG_FLAGS, params.configFlags());
        boolean veDisable = (params.attributes() & Tdcs.ATTRIBUTE_SEPT_VE_DISABLE) != 0;
        tdcs.setU64(Tdcs.TD_CTLS, veDisable ? Tdcs.PENDING_VE_DISABLE : 0);
        tdcs.memory().write16(tdcs.at(Tdcs.TSC_FREQUENCY), (short) params.tscFrequency());
        long multiplier = (long) (params.tscFrequency() * TSC_UNIT_HZ / NATIVE_HZ * (1L << 48));
        tdcs.setU64(Tdcs.TSC_MULTIPLIER, multiplier);
        tdcs.setU64(Tdcs.TSC_OFFSET, -(Math.multiplyHigh(tsc, multiplier) << 16 | tsc * multiplier >>> 48));
        tdcs.setU64(Tdcs.HP_LOCK_TIMEOUT, 1_000_000);
        tdcs.setU64(Tdcs.ARCH_CAPABILITIES, params.archCapabilities());
        tdcs.setBytes(Tdcs.MRCONFIGID, params.bytes(80, 48));
        tdcs.setBytes(Tdcs.MROWNER, params.bytes(128, 48));
        tdcs.setBytes(Tdcs.MROWNERCONFIG, params.bytes(176, 48));
        for (CpuidRow row : CpuidRow.ALL) {
            int[] values = TdCpuid.values(row, params);
            for (int register = 0; register < 4; register++) {
                tdcs.setU32(row.offset() + 4 * register, values[register]);
            }
        }
        tdcs.setU64(Tdcs.TD_EPOCH, 1);
    }
}
