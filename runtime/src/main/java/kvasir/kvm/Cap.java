package kvasir.kvm;

import kvasir.kvm.gmem.GuestMemfd;
import kvasir.kvm.irqchip.GsiRouting;

/** KVM_CAP_*: numbers, and what KVM_CHECK_EXTENSION answers for them. */
public final class Cap {
    public static final int IRQCHIP = 0;
    public static final int HLT = 1;
    public static final int USER_MEMORY = 3;
    public static final int SET_TSS_ADDR = 4;
    public static final int VAPIC = 6;
    public static final int EXT_CPUID = 7;
    public static final int NR_VCPUS = 9;
    public static final int PIT = 11;
    public static final int MP_STATE = 14;
    public static final int SYNC_MMU = 16;
    public static final int DESTROY_MEMORY_REGION_WORKS = 21;
    public static final int USER_NMI = 22;
    public static final int SET_GUEST_DEBUG = 23;
    public static final int REINJECT_CONTROL = 24;
    public static final int IRQ_ROUTING = 25;
    public static final int JOIN_MEMORY_REGIONS_WORKS = 30;
    public static final int MCE = 31;
    public static final int IRQFD = 32;
    public static final int PIT2 = 33;
    public static final int SET_BOOT_CPU_ID = 34;
    public static final int PIT_STATE2 = 35;
    public static final int IOEVENTFD = 36;
    public static final int SET_IDENTITY_MAP_ADDR = 37;
    public static final int ADJUST_CLOCK = 39;
    public static final int INTERNAL_ERROR_DATA = 40;
    public static final int VCPU_EVENTS = 41;
    public static final int DEBUGREGS = 50;
    public static final int ENABLE_CAP = 54;
    public static final int XSAVE = 55;
    public static final int XCRS = 56;
    public static final int GET_TSC_KHZ = 61;
    public static final int TSC_DEADLINE_TIMER = 72;
    public static final int KVMCLOCK_CTRL = 76;
    public static final int SIGNAL_MSI = 77;
    public static final int ENABLE_CAP_VM = 98;
    public static final int CHECK_EXTENSION_VM = 105;
    public static final int GET_MSR_FEATURES = 153;
    public static final int XSAVE2 = 208;
    public static final int X86_GUEST_MODE = 238;
    public static final int NR_MEMSLOTS = 10;
    public static final int MAX_VCPUS = 66;
    public static final int READONLY_MEM = 81;
    public static final int X86_SMM = 117;
    public static final int MULTI_ADDRESS_SPACE = 118;
    public static final int MAX_VCPU_ID = 128;
    public static final int EXCEPTION_PAYLOAD = 164;
    public static final int DISABLE_QUIRKS = 116;
    public static final int SPLIT_IRQCHIP = 121;
    public static final int X2APIC_API = 129;
    public static final int X86_DISABLE_EXITS = 143;
    public static final int MSR_PLATFORM_INFO = 159;
    public static final int HALT_POLL = 182;
    public static final int SGX_ATTRIBUTE = 196;
    public static final int EXIT_ON_EMULATION_FAILURE = 204;
    public static final int PMU_CAPABILITY = 212;
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
    private static final long CLOCK_FLAGS = 0xe;

    /** Processors of the host that are online. */
    private static final long ONLINE_CPUS = 8;

    private Cap() {}

    /** KVM_CHECK_EXTENSION on /dev/kvm; 0 means not supported. */
    static long onSystem(Kvm kvm, int cap) {
        return switch (cap) {
            case READONLY_MEM, X86_SMM, GUEST_MEMFD -> 1;
            case MULTI_ADDRESS_SPACE -> 2;
            case MEMORY_ATTRIBUTES -> MemoryAttributes.PRIVATE;
            case GUEST_MEMFD_FLAGS ->
                kvm.version().atLeast(6, 18) ? GuestMemfd.FLAG_MMAP | GuestMemfd.FLAG_INIT_SHARED : 0;
            default -> everywhere(kvm, cap);
        };
    }

    /** KVM_CHECK_EXTENSION on the VM descriptor; 0 means not supported. */
    static long onVm(Vm vm, int cap) {
        KernelVersion version = vm.kvm().version();
        boolean privateMemory = vm.type().hasPrivateMemory();
        return switch (cap) {
            case READONLY_MEM -> vm.type().hasReadonlyMemory() ? 1 : 0;
            // has_emulated_msr(MSR_IA32_SMBASE): not for SEV-ES, SNP and TDX guests
            case X86_SMM -> vm.type().hasProtectedState() ? 0 : 1;
            case SYNC_REGS -> vm.type().hasProtectedState() ? 0 : SYNC_REGS_FIELDS;
            case MULTI_ADDRESS_SPACE -> vm.type().addressSpaces();
            case MEMORY_ATTRIBUTES -> privateMemory ? MemoryAttributes.PRIVATE : 0;
            case GUEST_MEMFD -> version.atLeast(6, 18) || privateMemory ? 1 : 0;
            case GUEST_MEMFD_FLAGS -> GuestMemfd.validFlags(vm);
            default -> everywhere(vm.kvm(), cap);
        };
    }

    /** KVM_X86_VALID_QUIRKS: bits 8 and 9 came with 6.14 and 6.16; bit 7, of 6.12, is in all kernels here. */
    static long quirks(Kvm kvm) {
        return kvm.version().atLeast(6, 16) ? 0x3ff : kvm.version().atLeast(6, 14) ? 0x1ff : 0xff;
    }

    private static long everywhere(Kvm kvm, int cap) {
        return switch (cap) {
            case IRQCHIP, HLT, USER_MEMORY, SET_TSS_ADDR, VAPIC, EXT_CPUID, PIT, MP_STATE, SYNC_MMU, USER_NMI -> 1;
            case DESTROY_MEMORY_REGION_WORKS, JOIN_MEMORY_REGIONS_WORKS, SET_GUEST_DEBUG, REINJECT_CONTROL -> 1;
            case IRQFD, PIT2, SET_BOOT_CPU_ID, PIT_STATE2, IOEVENTFD, SET_IDENTITY_MAP_ADDR -> 1;
            case INTERNAL_ERROR_DATA, VCPU_EVENTS, DEBUGREGS, ENABLE_CAP, XSAVE, XCRS, GET_TSC_KHZ -> 1;
            case TSC_DEADLINE_TIMER, KVMCLOCK_CTRL, SIGNAL_MSI, ENABLE_CAP_VM, CHECK_EXTENSION_VM, DISABLE_QUIRKS -> 1;
            case SPLIT_IRQCHIP, GET_MSR_FEATURES, EXIT_ON_EMULATION_FAILURE, X86_GUEST_MODE -> 1;
            case IRQ_ROUTING -> GsiRouting.MOST_ROUTES;
            case MCE -> 32;
            case ADJUST_CLOCK -> CLOCK_FLAGS;
            case X2APIC_API -> 3;
            case XSAVE2 -> VcpuImages.XSAVE_BYTES;
            case NR_VCPUS -> ONLINE_CPUS;
            case NR_MEMSLOTS -> SetUserMemoryRegion.USER_MEM_SLOTS;
            case MAX_VCPUS -> 1024;
            case MAX_VCPU_ID -> 4096;
            case X86_USER_SPACE_MSR -> USER_SPACE_MSR_REASONS;
            case X86_MSR_FILTER, EXCEPTION_PAYLOAD, SREGS2, X86_TRIPLE_FAULT_EVENT -> 1;
            case COALESCED_MMIO -> COALESCED_MMIO_PAGE;
            case COALESCED_PIO -> 1;
            case SYNC_REGS -> SYNC_REGS_FIELDS;
            // OFF and EXIT; the window's unit and both flags: an Intel host has them
            case X86_BUS_LOCK_EXIT -> kvm.host().npt() ? 1 : 3;
            case X86_NOTIFY_VMEXIT -> kvm.host().npt() ? 0 : 3;
            case IMMEDIATE_EXIT, USER_MEMORY2, VM_DISABLE_NX_HUGE_PAGES, MEMORY_FAULT_INFO -> 1;
            case MANUAL_DIRTY_LOG_PROTECT2 -> 3;
            case DIRTY_LOG_RING, DIRTY_LOG_RING_ACQ_REL -> 65536L * 16;
            case DIRTY_LOG_RING_WITH_BITMAP -> 0;
            case EXIT_HYPERCALL -> 1L << 12;
            case DISABLE_QUIRKS2 -> quirks(kvm);
            case VM_TYPES -> VmType.supported(kvm);
            case PRE_FAULT_MEMORY -> kvm.host().tdp() && kvm.version().atLeast(6, 11) ? 1 : 0;
            default -> 0;
        };
    }
}
