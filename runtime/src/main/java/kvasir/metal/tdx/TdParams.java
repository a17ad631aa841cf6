package kvasir.metal.tdx;

import kvasir.metal.memory.PhysicalMemory;

/**
 * TD_PARAMS, the 1024-byte operand of TDH.MNG.INIT, as a view on its bytes; and the rules for its values.
 *
 * @param hpa of the structure
 */
record TdParams(PhysicalMemory memory, long hpa) {
    static final int BYTES = 1024;
    static final long ATTRIBUTES_FIXED0 = 1L | 1L << 28 | 1L << 29 | 1L << 30 | 1L << 63;
    static final long ATTRIBUTES_FIXED1 = 0;
    static final long XFAM_FIXED0 = 0x6dbe7;
    static final long XFAM_FIXED1 = 0x3;

    private static final long MIGRATABLE = 1L << 29;
    private static final long PERFMON = 1L << 63;
    private static final long CONFIG_FLAGS_KNOWN = 7;
    private static final int CPUID = 256;

    private long u64(int offset) {
        return memory.read64(hpa + offset);
    }

    long attributes() {
        return u64(0);
    }

    boolean attributesValid() {
        long value = attributes();
        boolean migratableAlone = (value & MIGRATABLE) == 0 || (value & (Tdcs.ATTRIBUTE_DEBUG | PERFMON)) == 0;
        return (value & ~ATTRIBUTES_FIXED0) == 0 && (value & ATTRIBUTES_FIXED1) == ATTRIBUTES_FIXED1 && migratableAlone;
    }

    long xfam() {
        return u64(8);
    }

    boolean xfamValid() {
        long value = xfam();
        long avx512 = value >>> 5 & 7;
        return (value & ~XFAM_FIXED0) == 0
                && (value & XFAM_FIXED1) == XFAM_FIXED1
                && (avx512 == 0 || avx512 == 7 && (value & 4) != 0)
                && equal(value, 11, 12)
                && equal(value, 17, 18);
    }

    private static boolean equal(long value, int bit, int other) {
        return ((value >>> bit ^ value >>> other) & 1) == 0;
    }

    int maxVcpus() {
        return memory.read16(hpa + 16) & 0xffff;
    }

    int numL2Vms() {
        return memory.read8(hpa + 18) & 0xff;
    }

    int msrConfigCtls() {
        return memory.read8(hpa + 19) & 0xff;
    }

    long eptpControls() {
        return u64(24);
    }

    long configFlags() {
        return u64(32);
    }

    boolean configFlagsValid() {
        return (configFlags() & ~CONFIG_FLAGS_KNOWN) == 0;
    }

    int gpaw() {
        return (int) configFlags() & 1;
    }

    boolean eptpControlsValid() {
        long walkLength = eptpControls() >>> 3 & 7;
        return (eptpControls() & ~0x3f) == 0
                && (eptpControls() & 7) == 6
                && (walkLength == 4 || walkLength == 3 && gpaw() == 0);
    }

    int tscFrequency() {
        return memory.read16(hpa + 40) & 0xffff;
    }

    byte[] bytes(int offset, int length) {
        var content = new byte[length];
        memory.read(hpa + offset, content, 0, length);
        return content;
    }

    long archCapabilities() {
        return u64(224);
    }

    int cpuid(int index, int register) {
        return memory.read32(hpa + CPUID + 16L * index + 4L * register);
    }

    /** The first configurable leaf with a bit that may not be set, or another family, model or stepping; or −1. */
    int wrongCpuid() {
        if (!signatureValid()) {
            return 0;
        }
        for (int i = 0; i < CpuidConfig.ALL.size(); i++) {
            for (int register = 0; register < 4; register++) {
                if ((cpuid(i, register) & ~CpuidConfig.ALL.get(i).mask(register)) != 0) {
                    return i;
                }
            }
        }
        return -1;
    }

    /** Whether HLE and RTM are both enumerated or neither. */
    boolean tsxWhole() {
        int ebx = TdCpuid.values(CpuidRow.find(7, 0).orElseThrow(), this)[1];
        return (ebx >>> 4 & 1) == (ebx >>> 11 & 1);
    }

    /** 0 for the processor's own, or exactly that. */
    private boolean signatureValid() {
        int asked = cpuid(0, 0);
        return asked == 0 || asked == TdCpuid.signature();
    }

    boolean zero(int from, int to) {
        for (int i = from; i < to; i++) {
            if (memory.read8(hpa + i) != 0) {
                return false;
            }
        }
        return true;
    }
}
