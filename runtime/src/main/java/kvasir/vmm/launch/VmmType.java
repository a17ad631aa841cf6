package kvasir.vmm.launch;

/** Whose initial vCPU state and page types are measured. */
public enum VmmType {
    /** QEMU on KVM 6.10 or later. */
    QEMU,
    /** Amazon EC2. */
    EC2,
    /** Google Compute Engine. */
    GCE
}
