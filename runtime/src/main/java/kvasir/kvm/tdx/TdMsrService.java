package kvasir.kvm.tdx;

import java.util.OptionalLong;
import java.util.TreeMap;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.Msr;

/**
 * MSRs that KVM serves to a TD by TDVMCALL (tdx.c, tdx_has_emulated_msr, tdx_is_read_only_msr, tdx_get_msr, tdx_set_msr).
 */
final class TdMsrService {
    private static final int APIC_BASE = 0x1b;
    private static final int FEAT_CTL = 0x3a;
    private static final int UCODE_REV = 0x8b;
    private static final int PLATFORM_INFO = 0xce;
    private static final int MTRR_CAP = 0xfe;
    private static final int ARCH_CAPABILITIES = 0x10a;
    private static final int MISC_FEATURES_ENABLES = 0x140;
    private static final int MCG_CAP = 0x179;
    private static final int MCG_STATUS = 0x17a;
    private static final int MCG_CTL = 0x17b;
    private static final int MISC_ENABLE = 0x1a0;
    private static final int POWER_CTL = 0x1fc;
    private static final int PAT = 0x277;
    private static final int MTRR_DEF_TYPE = 0x2ff;
    private static final int MC_FIRST = 0x400;
    private static final int MC_LAST = 0x47f;
    private static final int TSC_DEADLINE = 0x6e0;
    private static final int X2APIC_FIRST = 0x800;
    private static final int X2APIC_LAST = 0x83f;
    private static final int EFER = 0xc000_0080;
    private static final int KVM_POLL_CONTROL = 0x4b56_4d05;

    private final TdApic apic;
    private final Cpu cpu;
    private TreeMap<Integer, Long> values = new TreeMap<>();

    TdMsrService(TdApic apic, Cpu cpu) {
        this.apic = apic;
        this.cpu = cpu;
    }

    private static boolean plain(int index) {
        return switch (index) {
            case UCODE_REV,
                    PLATFORM_INFO,
                    ARCH_CAPABILITIES,
                    MISC_FEATURES_ENABLES,
                    MCG_STATUS,
                    MCG_CTL,
                    MISC_ENABLE,
                    POWER_CTL,
                    PAT,
                    MTRR_DEF_TYPE,
                    KVM_POLL_CONTROL -> true;
            default ->
                index >= 0x200 && index <= 0x20f
                        || index >= 0x250 && index <= 0x26f
                        || index >= MC_FIRST && index <= MC_LAST;
        };
    }

    /** Registers that the TD has natively are none of KVM's. */
    private static boolean servedX2Apic(int index) {
        boolean virtual = index == 0x808
                || index == 0x80a
                || index == 0x80b
                || index >= 0x810 && index <= 0x827
                || index == X2APIC_LAST;
        return index >= X2APIC_FIRST && index <= X2APIC_LAST && !virtual;
    }

    /** Instruction.RDMSR; empty for INVALID_OPERAND. */
    OptionalLong read(int index) {
        return switch (index) {
            case APIC_BASE -> OptionalLong.of(apic.base());
            case FEAT_CTL -> OptionalLong.of(1);
            case EFER -> cpu.msr(EFER);
            case MTRR_CAP -> OptionalLong.of(0x508);
            case MCG_CAP -> OptionalLong.of(0);
            case TSC_DEADLINE -> OptionalLong.of(apic.tscDeadline());
            case MISC_ENABLE -> OptionalLong.of(values.getOrDefault(index, 1L));
            case PAT -> OptionalLong.of(values.getOrDefault(index, 0x0007_0406_0007_0406L));
            default -> {
                if (servedX2Apic(index)) {
                    yield apic.read(index, cpu.clock());
                }
                yield plain(index) ? OptionalLong.of(values.getOrDefault(index, 0L)) : OptionalLong.empty();
            }
        };
    }

    /** Instruction.WRMSR; false for INVALID_OPERAND. */
    boolean write(int index, long value) {
        if (index == TSC_DEADLINE) {
            long tsc = cpu.msr(Msr.TSC).orElse(0);
            apic.tscDeadline(value, cpu.clock() + (value - tsc));
            return true;
        }
        if (servedX2Apic(index)) {
            return apic.write(index, value, cpu.clock());
        }
        boolean writable = plain(index) && index != ARCH_CAPABILITIES && index != PLATFORM_INFO;
        if (writable) {
            values.put(index, value);
        }
        return writable;
    }

    /** Whether an interrupt waits for the guest. */
    boolean interrupted() {
        return apic.interrupting(cpu.clock());
    }

    /**
     * The vCPU blocks until its timer wakes it; false if nothing will (tdx_emulate_vmcall HLT, kvm_vcpu_block).
     *
     * @param interruptible whether a pending interrupt wakes it
     */
    boolean sleep(boolean interruptible) {
        if (!interruptible) {
            return false;
        }
        while (!apic.interrupting(cpu.clock())) {
            if (apic.deadline() == Long.MAX_VALUE) {
                return false;
            }
            cpu.setClock(Math.max(apic.deadline(), cpu.clock() + 1));
        }
        return true;
    }

    Runnable checkpoint() {
        var saved = new TreeMap<>(values);
        return () -> values = new TreeMap<>(saved);
    }
}
