package kvasir.metal.snp;

/**
 * The processor state that decides whether an instruction on the RMP is legal.
 *
 * @param snpEnabled SYSCFG bit 24
 * @param guest inside a guest
 * @param snpActive SEV_FEATURES bit 0 of that guest
 * @param cpl 0 to 3
 * @param asid of the guest; 0 for the host
 * @param vmpl of the VMSA in use; 0 for the host
 */
public record Caller(boolean snpEnabled, boolean guest, boolean snpActive, int cpl, int asid, int vmpl) {
    /** The kernel of a host with SNP enabled. */
    public static final Caller HOST = new Caller(true, false, false, 0, 0, 0);

    /** The kernel of an SNP guest. */
    public static Caller guest(int asid, int vmpl) {
        return new Caller(true, true, true, 0, asid, vmpl);
    }
}
