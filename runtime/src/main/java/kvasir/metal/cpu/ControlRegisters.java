package kvasir.metal.cpu;

/**
 * The registers that decide how a processor runs and pages.
 *
 * @param efer IA32_EFER with LMA
 */
public record ControlRegisters(long cr0, long cr3, long cr4, long efer) {
    /** Whether PAE paging is in force, whose PDPTE registers are loaded with CR3. */
    public boolean pae() {
        return (cr0 & Bits.CR0_PG) != 0 && (cr4 & Bits.CR4_PAE) != 0 && (efer & Bits.EFER_LMA) == 0;
    }

    /**
     * Whether a processor could be in that state, however it came there (Intel SDM volume 3, "Checks on guest control
     * registers, debug registers, and MSRs").
     */
    boolean legal(Cpu c) {
        boolean paging = (cr0 & Bits.CR0_PG) != 0;
        boolean longMode = (efer & Bits.EFER_LMA) != 0;
        boolean bad0 = cr0 >>> 32 != 0
                || paging && (cr0 & Bits.CR0_PE) == 0
                || (cr0 & (Bits.CR0_NW | Bits.CR0_CD)) == Bits.CR0_NW;
        boolean bad4 = (cr4 & ~SystemOps.cr4Defined(c.model)) != 0
                || longMode && (cr4 & Bits.CR4_PAE) == 0
                || !longMode && (cr4 & Bits.CR4_PCIDE) != 0;
        boolean badEfer = (efer & ~(Msrs.eferWritable(c) | Bits.EFER_LMA)) != 0
                || longMode != (paging && (efer & Bits.EFER_LME) != 0);
        boolean bad3 = longMode && SystemOps.cr3Reserved(c, cr3);
        return !bad0 && !bad4 && !badEfer && !bad3;
    }
}
