package kvasir.metal.cpu;

import java.util.OptionalLong;
import kvasir.metal.cpu.CpuidModel.Feature;

/** The model-specific registers that the processor keeps itself. */
final class Msrs {
    private static final long EFER_WRITABLE = Bits.EFER_SCE | Bits.EFER_LME | Bits.EFER_NXE;

    private Msrs() {}

    /** The value, or empty for a register of the hypervisor. {@code index} of the instruction in its block is for TSC. */
    static OptionalLong read(Cpu c, int msr, int index) {
        SystemState s = c.sys;
        return switch (msr) {
            case Msr.TSC -> OptionalLong.of(c.tsc(index));
            case Msr.PKRS ->
                c.model.has(CpuidModel.Feature.PKS) ? OptionalLong.of(s.pkrs & 0xffff_ffffL) : OptionalLong.empty();
            case Msr.TSC_ADJUST ->
                c.model.has(CpuidModel.Feature.TSC_ADJUST) ? OptionalLong.of(s.tscAdjust) : OptionalLong.empty();
            case Msr.SYSENTER_CS -> OptionalLong.of(s.sysenterCs);
            case Msr.SYSENTER_ESP -> OptionalLong.of(s.sysenterEsp);
            case Msr.SYSENTER_EIP -> OptionalLong.of(s.sysenterEip);
            case Msr.DEBUGCTL -> OptionalLong.of(s.debugControl);
            case Msr.PAT -> OptionalLong.of(s.pat);
            case Msr.XSS -> c.model.has(Feature.XSAVES) ? OptionalLong.of(s.xss) : OptionalLong.empty();
            case Msr.EFER -> OptionalLong.of(s.efer);
            case Msr.STAR -> OptionalLong.of(s.star);
            case Msr.LSTAR -> OptionalLong.of(s.lstar);
            case Msr.CSTAR -> OptionalLong.of(s.cstar);
            case Msr.SFMASK -> OptionalLong.of(s.sfmask);
            case Msr.FS_BASE -> OptionalLong.of(s.base[Segment.FS]);
            case Msr.GS_BASE -> OptionalLong.of(s.base[Segment.GS]);
            case Msr.KERNEL_GS_BASE -> OptionalLong.of(s.kernelGsBase);
            case Msr.TSC_AUX -> OptionalLong.of(s.tscAux);
            default -> OptionalLong.empty();
        };
    }

    /** Sets a register without checks; false for a register of the hypervisor. */
    static boolean write(Cpu c, int msr, long value) {
        SystemState s = c.sys;
        switch (msr) {
            case Msr.TSC -> {
                long offset = value - c.clock();
                s.tscAdjust += offset - s.tscOffset;
                s.tscOffset = offset;
            }
            case Msr.PKRS -> {
                if (!c.model.has(CpuidModel.Feature.PKS)) {
                    return false;
                }
                s.pkrs = (int) value;
                c.mem.flush();
            }
            case Msr.TSC_ADJUST -> {
                if (!c.model.has(CpuidModel.Feature.TSC_ADJUST)) {
                    return false;
                }
                s.tscOffset += value - s.tscAdjust;
                s.tscAdjust = value;
            }
            case Msr.SYSENTER_CS -> s.sysenterCs = value & 0xffff_ffffL;
            case Msr.SYSENTER_ESP -> s.sysenterEsp = value;
            case Msr.SYSENTER_EIP -> s.sysenterEip = value;
            case Msr.DEBUGCTL -> s.debugControl = value;
            case Msr.PAT -> s.pat = value;
            case Msr.XSS -> {
                s.xss = value;
                return c.model.has(Feature.XSAVES);
            }
            case Msr.EFER -> s.efer = value;
            case Msr.STAR -> s.star = value;
            case Msr.LSTAR -> s.lstar = value;
            case Msr.CSTAR -> s.cstar = value;
            case Msr.SFMASK -> s.sfmask = value;
            case Msr.FS_BASE -> s.base[Segment.FS] = value;
            case Msr.GS_BASE -> s.base[Segment.GS] = value;
            case Msr.KERNEL_GS_BASE -> s.kernelGsBase = value;
            case Msr.TSC_AUX -> s.tscAux = value & 0xffff_ffffL;
            default -> {
                return false;
            }
        }
        return true;
    }

    /** WRMSR with its checks: #GP for reserved bits and addresses that are not canonical. */
    static boolean guestWrite(Cpu c, int msr, long value) {
        SystemState s = c.sys;
        boolean good = switch (msr) {
            case Msr.EFER ->
                (value & ~(eferWritable(c) | Bits.EFER_LMA)) == 0
                        && (((value ^ s.efer) & Bits.EFER_LME) == 0 || (s.cr0 & Bits.CR0_PG) == 0);
            case Msr.LSTAR, Msr.CSTAR, Msr.FS_BASE, Msr.GS_BASE, Msr.KERNEL_GS_BASE -> c.canonicalForLoad(value);
            // AMD's SYSENTER has 32 bits; KVM makes the value an address (x86.c, __kvm_set_msr)
            case Msr.SYSENTER_ESP, Msr.SYSENTER_EIP -> c.model.amd() || c.canonicalForLoad(value);
            case Msr.TSC_AUX -> c.model.amd() || value >>> 32 == 0;
            case Msr.PAT -> patIsLegal(value);
            case Msr.PKRS -> value >>> 32 == 0;
            case Msr.DEBUGCTL -> (value & ~3L) == 0;
            // no supervisor state component is modelled
            case Msr.XSS -> value == 0 || !c.model.has(Feature.XSAVES);
            default -> true;
        };
        if (!good) {
            throw c.exception(Vector.GP, 0);
        }
        long stored = switch (msr) {
            case Msr.EFER -> value & eferWritable(c) | s.efer & Bits.EFER_LMA;
            case Msr.SYSENTER_ESP, Msr.SYSENTER_EIP -> c.model.amd() ? value << 16 >> 16 : value;
            default -> value;
        };
        boolean kept = write(c, msr, stored);
        if (msr == Msr.EFER || msr == Msr.FS_BASE || msr == Msr.GS_BASE) {
            c.updateMode();
        }
        if (msr == Msr.EFER) {
            c.flushLinear();
        }
        return kept;
    }

    static long eferWritable(Cpu c) {
        return EFER_WRITABLE
                | (c.model.has(Feature.FFXSR) ? Bits.EFER_FFXSR : 0)
                | (c.encryptedState ? Bits.EFER_SVME : 0);
    }

    private static boolean patIsLegal(long value) {
        for (int i = 0; i < 64; i += 8) {
            int type = (int) (value >>> i) & 0xff;
            if (type > 7 || type == 2 || type == 3) {
                return false;
            }
        }
        return true;
    }
}
