package kvasir.metal.tdx;

import java.util.List;

/**
 * One CPUID leaf that TD_PARAMS configures, in the module's order.
 *
 * @param leaf CPUID leaf
 * @param subleaf CPUID subleaf, −1 if the leaf has none
 * @param eax bits of EAX that may be set: direct or allowed; likewise the others
 */
public record CpuidConfig(int leaf, int subleaf, int eax, int ebx, int ecx, int edx) {
    /** The configurable leaves of release 1.5.01. */
    public static final List<CpuidConfig> ALL = List.of(
            new CpuidConfig(1, -1, 0x0fff3fff, 0x00ff0000, 0x31044d88, 0xb8440000),
            new CpuidConfig(4, 0, 0xffffc3ff, 0xfffff000, -1, 0xfffffffb),
            new CpuidConfig(4, 1, 0xffffc3ff, 0xfffff000, -1, 0xfffffffb),
            new CpuidConfig(4, 2, 0xffffc3ff, 0xfffff000, -1, 0xfffffffb),
            new CpuidConfig(4, 3, 0xffffc3ff, 0xfffff000, -1, 7),
            new CpuidConfig(7, 0, 0, 0xdc2b9b18, 0x02417f65, 0x0005411c),
            new CpuidConfig(7, 1, 0x1d30, 0, 0, 0),
            new CpuidConfig(0xa, -1, 0, 0, 0, 0),
            new CpuidConfig(0x1c, -1, 0xff, 0, 0, 0),
            new CpuidConfig(0x80000008, -1, 0, 0x200, 0, 0),
            new CpuidConfig(7, 2, 0, 0, 0, 0x28),
            new CpuidConfig(0x23, 0, 0xf, 0, 0, 0));

    /** The mask of a register: 0 EAX, 1 EBX, 2 ECX, 3 EDX. */
    public int mask(int register) {
        return switch (register) {
            case 0 -> eax;
            case 1 -> ebx;
            case 2 -> ecx;
            default -> edx;
        };
    }

    /** Bits that TD_PARAMS sets to any value; the others of the mask it can only clear. */
    int direct(int register) {
        return leaf == 4 || leaf == 1 && register < 2 ? mask(register) : 0;
    }

    /** Metadata field id of EAX and EBX in CPUID_VALUES; the next is that of ECX and EDX. */
    public long fieldId() {
        return TdFields.cpuidValues(leaf, subleaf);
    }

    /** Subleaf as it travels in registers and fields: all ones if the leaf has none. */
    long wireSubleaf() {
        return subleaf & 0xffff_ffffL;
    }
}
