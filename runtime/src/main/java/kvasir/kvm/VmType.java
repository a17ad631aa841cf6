package kvasir.kvm;

/** The argument of KVM_CREATE_VM. */
public enum VmType {
    DEFAULT(0, false, false),
    SW_PROTECTED(1, true, false),
    SEV(2, false, false),
    SEV_ES(3, false, true),
    SNP(4, true, true),
    TDX(5, true, true);

    private final int number;
    private final boolean privateMemory;
    private final boolean protectedState;

    VmType(int number, boolean privateMemory, boolean protectedState) {
        this.number = number;
        this.privateMemory = privateMemory;
        this.protectedState = protectedState;
    }

    /**
     * KVM_CAP_VM_TYPES (kvm_caps.supported_vm_types), a bit for each: SW_PROTECTED needs the TDP MMU, SEV's three memory
     * encryption in SYSCFG, TDX an Intel host, all of which have its module here.
     */
    public static long supported(Kvm kvm) {
        HostConfig host = kvm.host();
        long types = 1L << DEFAULT.number;
        if (host.tdp() && host.tdpMmu()) {
            types |= 1L << SW_PROTECTED.number;
            if (!host.npt()) {
                types |= 1L << TDX.number;
            }
        }
        if (host.cBit() != 0) {
            types |= 1L << SEV.number | 1L << SEV_ES.number | 1L << SNP.number;
        }
        return types;
    }

    /** KVM_X86_*_VM. */
    public int number() {
        return number;
    }

    /** kvm_arch_has_private_mem. */
    public boolean hasPrivateMemory() {
        return privateMemory;
    }

    /** kvm->arch.has_protected_state. */
    public boolean hasProtectedState() {
        return protectedState;
    }

    /** Whether the TDP MMU keeps a mirror of an external page table for private memory (TDX only). */
    public boolean hasMirror() {
        return this == TDX;
    }

    /** Whether a slot may be read only (kvm_arch_has_readonly_mem). */
    public boolean hasReadonlyMemory() {
        return !protectedState;
    }

    /** Number of address spaces: 0 is normal, 1 is SMM. */
    public int addressSpaces() {
        return privateMemory ? 1 : 2;
    }
}
