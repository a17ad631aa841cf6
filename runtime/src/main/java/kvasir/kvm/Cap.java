package kvasir.kvm;

import kvasir.kvm.gmem.GuestMemfd;

/** KVM_CAP_*: numbers, and what KVM_CHECK_EXTENSION answers for them. */
public final class Cap {
    public static final int NR_MEMSLOTS = 10;
    public static final int MAX_VCPUS = 66;
    public static final int READONLY_MEM = 81;
    public static final int X86_SMM = 117;
    public static final int MULTI_ADDRESS_SPACE = 118;
    public static final int MAX_VCPU_ID = 128;
    public static final int EXCEPTION_PAYLOAD = 164;
    public static final int X86_MSR_FILTER = 189;
    public static final int X86_BUS_LOCK_EXIT = 193;
    public static final int SREGS2 = 200;
    public static final int X86_TRIPLE_FAULT_EVENT = 218;
    public static final int X86_NOTIFY_VMEXIT = 219;
    public static final int COALESCED_MMIO = 15;
    public static final int COALESCED_PIO = 162;
    public static final int SYNC_REGS = 74;
    public static final int IMMEDIATE_EXIT = 136;
    public static final int MANUAL_DIRTY_LOG_PROTECT2 = 168;
    public static final int X86_USER_SPACE_MSR = 188;
    public static final int DIRTY_LOG_RING = 192;
    public static final int EXIT_HYPERCALL = 201;
    public static final int DISABLE_QUIRKS2 = 213;
    public static final int VM_DISABLE_NX_HUGE_PAGES = 220;
    public static final int DIRTY_LOG_RING_ACQ_REL = 223;
    public static final int DIRTY_LOG_RING_WITH_BITMAP = 225;
    public static final int USER_MEMORY2 = 231;
    public static final int MEMORY_FAULT_INFO = 232;
    public static final int MEMORY_ATTRIBUTES = 233;
    public static final int GUEST_MEMFD = 234;
    public static final int VM_TYPES = 235;
    public static final int PRE_FAULT_MEMORY = 236;
    public static final int GUEST_MEMFD_FLAGS = 244;

    private static final long USER_SPACE_MSR_REASONS = 7;
    private static final long COALESCED_MMIO_PAGE = 2;
    private static final long SYNC_REGS_FIELDS = 7;

    private Cap() {}

    /** KVM_CHECK_EXTENSION on the VM descriptor; 0 means not supported. */
    static long onVm(Vm vm, int cap) {
        KernelVersion version = vm.kvm().version();
        boolean privateMemory = vm.type().hasPrivateMemory();
        return switch (cap) {
            case NR_MEMSLOTS -> SetUserMemoryRegion.USER_MEM_SLOTS;
            case MAX_VCPUS -> 1024;
            case MAX_VCPU_ID -> 4096;
            case READONLY_MEM -> vm.type().hasReadonlyMemory() ? 1 : 0;
            // has_emulated_msr(MSR_IA32_SMBASE): not for SEV-ES, SNP and TDX guests
            case X86_SMM -> vm.type().hasProtectedState() ? 0 : 1;
            case MULTI_ADDRESS_SPACE -> vm.type().addressSpaces();
            case X86_USER_SPACE_MSR -> USER_SPACE_MSR_REASONS;
            case X86_MSR_FILTER, EXCEPTION_PAYLOAD, SREGS2, X86_TRIPLE_FAULT_EVENT -> 1;
            case COALESCED_MMIO -> COALESCED_MMIO_PAGE;
            case COALESCED_PIO -> 1;
            case SYNC_REGS -> SYNC_REGS_FIELDS;
            // OFF and EXIT; the window's unit and both flags: an Intel host has them
            case X86_BUS_LOCK_EXIT -> vm.kvm().host().npt() ? 1 : 3;
            case X86_NOTIFY_VMEXIT -> vm.kvm().host().npt() ? 0 : 3;
            case IMMEDIATE_EXIT, USER_MEMORY2, VM_DISABLE_NX_HUGE_PAGES, MEMORY_FAULT_INFO -> 1;
            case MANUAL_DIRTY_LOG_PROTECT2 -> 3;
            case DIRTY_LOG_RING, DIRTY_LOG_RING_ACQ_REL -> 65536L * 16;
            case DIRTY_LOG_RING_WITH_BITMAP -> 0;
            case EXIT_HYPERCALL -> 1L << 12;
            case DISABLE_QUIRKS2 -> Vm.QUIRK_SLOT_ZAP_ALL | Vm.QUIRK_IGNORE_GUEST_PAT | 0x7f;
            case MEMORY_ATTRIBUTES -> privateMemory ? MemoryAttributes.PRIVATE : 0;
            case GUEST_MEMFD -> version.atLeast(6, 18) || privateMemory ? 1 : 0;
            case GUEST_MEMFD_FLAGS -> GuestMemfd.validFlags(vm);
            case VM_TYPES -> 1 << VmType.DEFAULT.number() | 1 << VmType.SW_PROTECTED.number();
            case PRE_FAULT_MEMORY -> vm.kvm().host().tdp() && version.atLeast(6, 11) ? 1 : 0;
            default -> 0;
        };
    }
}
