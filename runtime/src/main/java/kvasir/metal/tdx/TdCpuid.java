package kvasir.metal.tdx;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.CpuidModel;

/**
 * CPUID as the module virtualizes it. TDH.MNG.INIT computes every row from the processor, the fixed bits, TD_PARAMS,
 * ATTRIBUTES and XFAM, and keeps it in the TDCS; what follows the vCPU's own state is filled in when the guest asks.
 */
final class TdCpuid {
    private static final int EAX = 0;
    private static final int EBX = 1;
    private static final int ECX = 2;
    private static final int EDX = 3;
    private static final int X2APIC = 1 << 21;
    private static final int OSXSAVE = 1 << 27;
    private static final int OSPKE = 1 << 4;
    private static final int PKS = 1 << 31;
    private static final int SYSCALL = 1 << 11;
    private static final int MONITOR = 1 << 3;
    private static final long ATTRIBUTE_PKS = 1L << 30;
    private static final long ATTRIBUTE_PERFMON = 1L << 63;
    private static final int GUEST_BITS = 52;

    /** Bits of a leaf that are 0 unless all features of {@code xfam} are enabled. */
    private record ByXfam(int leaf, int subleaf, long xfam, int eax, int ebx, int ecx, int edx) {
        int register(int number) {
            return switch (number) {
                case EAX -> eax;
                case EBX -> ebx;
                case ECX -> ecx;
                default -> edx;
            };
        }
    }

    private static final List<ByXfam> BY_XFAM = List.of(
            new ByXfam(1, -1, 1 << 2, 0, 0, 0x30001000, 0),
            new ByXfam(7, 0, 1 << 2, 0, 0x20, 0x600, 0),
            new ByXfam(7, 0, 7 << 5, 0, 0xdc230000, 0x5842, 0x80010c),
            new ByXfam(7, 0, 1 << 8, 0, 0x2000000, 0, 0),
            new ByXfam(7, 0, 1 << 9, 0, 0, 8, 0),
            new ByXfam(7, 0, 3 << 11, 0, 0, 0x80, 0x100000),
            new ByXfam(7, 0, 1 << 14, 0, 0, 0, 0x20),
            new ByXfam(7, 0, 1 << 15, 0, 0, 0, 0x80000),
            new ByXfam(7, 0, 3 << 17, 0, 0, 0, 0x3400000),
            new ByXfam(7, 1, 7 << 5, 0x30, 0, 0, 0),
            new ByXfam(0xd, 0, 1 << 2, 4, 0, 0, 0),
            new ByXfam(0xd, 0, 7 << 5, 0xe0, 0, 0, 0),
            new ByXfam(0xd, 0, 1 << 9, 0x200, 0, 0, 0),
            new ByXfam(0xd, 0, 3 << 17, 0x60000, 0, 0, 0),
            new ByXfam(0xd, 1, 1 << 8, 0, 0, 0x100, 0),
            new ByXfam(0xd, 1, 3 << 11, 0, 0, 0x1800, 0),
            new ByXfam(0xd, 1, 1 << 14, 0, 0, 0x4000, 0),
            new ByXfam(0xd, 1, 1 << 15, 0, 0, 0x8000, 0),
            new ByXfam(0x14, 0, 1 << 8, -1, -1, -1, -1),
            new ByXfam(0x14, 1, 1 << 8, -1, -1, -1, -1),
            new ByXfam(0x1c, -1, 1 << 15, -1, -1, -1, -1),
            new ByXfam(0x1d, 0, 3 << 17, -1, -1, -1, -1),
            new ByXfam(0x1d, 1, 3 << 17, -1, -1, -1, -1),
            new ByXfam(0x1e, -1, 3 << 17, -1, -1, -1, -1));

    /** The processor under the module, as TDs see it: an address with the SHARED bit is none too wide. */
    private static final CpuidModel PROCESSOR = wide(CpuidModel.standard());

    private TdCpuid() {}

    private static CpuidModel wide(CpuidModel model) {
        return new CpuidModel(
                model.name(), model.vendor(), model.brand(), model.signature(), model.features(), GUEST_BITS);
    }

    /** Family, model and stepping of the processor, as in CPUID(1).EAX. */
    static int signature() {
        return PROCESSOR.signature();
    }

    /** The values of one row for a TD with these parameters, before what follows the vCPU's state. */
    static int[] values(CpuidRow row, TdParams params) {
        int[] values = PROCESSOR.answer(row.leaf(), Math.max(0, row.subleaf()));
        int index = CpuidRow.ALL.indexOf(row);
        for (int register = 0; register < 4; register++) {
            values[register] = values[register] & ~row.fixed0().get(register)
                    | row.fixed1().get(register);
            if (index < CpuidConfig.ALL.size()) {
                CpuidConfig config = CpuidConfig.ALL.get(index);
                int asked = params.cpuid(index, register);
                int direct = config.direct(register);
                values[register] = values[register] & ~direct | asked & direct;
                values[register] &= asked | ~(config.mask(register) & ~direct);
            }
        }
        byXfam(row, params.xfam(), values);
        special(row, params, values);
        return values;
    }

    private static void byXfam(CpuidRow row, long xfam, int[] values) {
        for (ByXfam rule : BY_XFAM) {
            if (rule.leaf == row.leaf() && rule.subleaf == row.subleaf() && (xfam & rule.xfam) != rule.xfam) {
                for (int register = 0; register < 4; register++) {
                    values[register] &= ~rule.register(register);
                }
            }
        }
        boolean component = row.leaf() == 0xd && row.subleaf() >= 2;
        if (component && (xfam >>> row.subleaf() & 1) == 0) {
            Arrays.fill(values, 0);
        }
    }

    private static void special(CpuidRow row, TdParams params, int[] values) {
        switch (row.leaf()) {
            case 1 -> {
                values[EAX] = values[EAX] == 0 ? signature() : values[EAX];
                values[ECX] |= X2APIC;
            }
            case 5 -> keepIf((params.cpuid(0, ECX) & PROCESSOR.answer(1, 0)[ECX] & MONITOR) != 0, values);
            case 7 -> {
                boolean pks = row.subleaf() == 0 && (params.attributes() & ATTRIBUTE_PKS) != 0;
                values[ECX] = row.subleaf() == 0 ? values[ECX] & ~PKS | (pks ? PKS : 0) : values[ECX];
            }
            case 0xa, 0x23 -> keepIf((params.attributes() & ATTRIBUTE_PERFMON) != 0, values);
            case 0xd -> values[ECX] = row.subleaf() == 0 ? largestArea(params.xfam()) : values[ECX];
            case 0x15 -> values[EBX] = params.tscFrequency();
            default -> {}
        }
    }

    private static void keepIf(boolean enabled, int[] values) {
        if (!enabled) {
            Arrays.fill(values, 0);
        }
    }

    private static int largestArea(long xfam) {
        long user = xfam & PROCESSOR.answer(0xd, 0)[EAX] & 0xffff_ffffL;
        return PROCESSOR.xsaveBytes(user, false);
    }

    /** What CPUID gives the guest; empty for #VE. */
    static Optional<int[]> answer(Cpu cpu, Tdcs tdcs, Tdvps vcpu, int leaf, int subleaf) {
        Optional<CpuidRow> found = CpuidRow.find(leaf, subleaf).filter(row -> !row.faulting());
        if (found.isEmpty()) {
            return Optional.empty();
        }
        CpuidRow row = found.get();
        var values = new int[4];
        for (int register = 0; register < 4; register++) {
            values[register] = tdcs.u32(row.offset() + 4 * register);
        }
        int[] now = cpu.cpuid(leaf, subleaf);
        switch (row.leaf()) {
            case 1 -> {
                values[EBX] = values[EBX] & 0xff_ffff | vcpu.u32(Tdvps.X2APIC_ID) << 24;
                values[ECX] |= now[ECX] & OSXSAVE;
            }
            case 7 -> values[ECX] |= row.subleaf() == 0 ? now[ECX] & OSPKE : 0;
            case 0xd -> values[EBX] = row.subleaf() <= 1 ? now[EBX] : values[EBX];
            case 0x80000001 -> values[EDX] |= cpu.runs64BitCode() ? SYSCALL : 0;
            default -> {}
        }
        return Optional.of(values);
    }
}
