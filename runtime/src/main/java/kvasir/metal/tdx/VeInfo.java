package kvasir.metal.tdx;

/**
 * VE_INFO of a vCPU: 0 exit reason, 4 valid, 8 exit qualification, 16 GLA, 24 GPA, 32 EPTP index, 36 instruction
 * length, 40 instruction information.
 *
 * @param vcpu that has it
 */
public record VeInfo(Tdvps vcpu) {
    private static final int VALID = -1;

    /** The one of {@code vcpu}. */
    public static VeInfo of(Tdvps vcpu) {
        return new VeInfo(vcpu);
    }

    /** Whether the guest has not read it yet. */
    public boolean valid() {
        return vcpu.u32(Tdvps.VE_INFO + 4) == VALID;
    }

    /**
     * Fills it for a #VE (vector 20, no error code).
     *
     * @return false if the last one was not read: the guest gets #DF instead
     */
    public boolean inject(int reason, long qualification, long gla, long gpa, int length, int information) {
        if (valid()) {
            return false;
        }
        vcpu.setU32(Tdvps.VE_INFO, reason);
        vcpu.setU32(Tdvps.VE_INFO + 4, VALID);
        vcpu.setU64(Tdvps.VE_INFO + 8, qualification);
        vcpu.setU64(Tdvps.VE_INFO + 16, gla);
        vcpu.setU64(Tdvps.VE_INFO + 24, gpa);
        vcpu.setU32(Tdvps.VE_INFO + 32, 0);
        vcpu.setU32(Tdvps.VE_INFO + 36, length);
        vcpu.setU32(Tdvps.VE_INFO + 40, information);
        return true;
    }

    public int reason() {
        return vcpu.u32(Tdvps.VE_INFO);
    }

    public long qualification() {
        return vcpu.u64(Tdvps.VE_INFO + 8);
    }

    public long gla() {
        return vcpu.u64(Tdvps.VE_INFO + 16);
    }

    public long gpa() {
        return vcpu.u64(Tdvps.VE_INFO + 24);
    }

    /** Instruction length in bits 31:0, instruction information in bits 63:32. */
    public long instruction() {
        return vcpu.u64(Tdvps.VE_INFO + 36);
    }

    void clear() {
        vcpu.setU32(Tdvps.VE_INFO + 4, 0);
    }
}
