package kvasir.vmm.launch;

/**
 * One entry of the SEV metadata in an OVMF image (edk2, OvmfPkg/ResetVector).
 *
 * @param gpa guest physical address, below 4 GiB
 * @param size bytes
 */
public record SevSection(Type type, long gpa, long size) {
    /** What the VMM does with the range at launch. */
    public enum Type {
        /** Memory that the firmware uses before it can validate any. */
        SNP_SEC_MEM(1),
        SNP_SECRETS(2),
        CPUID(3),
        /** The calling area of an SVSM. */
        SVSM_CAA(4),
        /** Hashes of kernel, initrd and command line. */
        KERNEL_HASHES(0x10);

        private final int code;

        Type(int code) {
            this.code = code;
        }

        /** The number in the table. */
        public int code() {
            return code;
        }
    }
}
