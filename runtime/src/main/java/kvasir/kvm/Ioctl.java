package kvasir.kvm;

import java.util.Optional;
import java.util.stream.Stream;

/**
 * The ioctls of KVM on x86 (uapi/linux/kvm.h), with the verb by which scripts issue each, or why it is not modelled. The
 * order is that of the descriptors, then of the numbers.
 */
public enum Ioctl {
    GET_API_VERSION(Fd.SYSTEM, 0x0000_ae00L, "get_api_version"),
    CREATE_VM(Fd.SYSTEM, 0x0000_ae01L, "create_vm"),
    GET_MSR_INDEX_LIST(Fd.SYSTEM, 0xc004_ae02L, "get_msr_index_list"),
    CHECK_EXTENSION(Fd.SYSTEM, 0x0000_ae03L, "check_extension"),
    GET_VCPU_MMAP_SIZE(Fd.SYSTEM, 0x0000_ae04L, "get_vcpu_mmap_size"),
    GET_SUPPORTED_CPUID(Fd.SYSTEM, 0xc008_ae05L, "get_supported_cpuid"),
    GET_EMULATED_CPUID(Fd.SYSTEM, 0xc008_ae09L, "get_emulated_cpuid"),
    GET_MSR_FEATURE_INDEX_LIST(Fd.SYSTEM, 0xc004_ae0aL, "get_msr_feature_index_list"),
    X86_GET_MCE_CAP_SUPPORTED(Fd.SYSTEM, 0x8008_ae9dL, "get_mce_cap_supported"),
    SYSTEM_GET_DEVICE_ATTR(Fd.SYSTEM, 0x4018_aee2L, "get_device_attr"),
    SYSTEM_HAS_DEVICE_ATTR(Fd.SYSTEM, 0x4018_aee3L, "has_device_attr"),

    CREATE_VCPU(Fd.VM, 0x0000_ae41L, "create_vcpu"),
    GET_DIRTY_LOG(Fd.VM, 0x4010_ae42L, "get_dirty_log"),
    SET_NR_MMU_PAGES(Fd.VM, 0x0000_ae44L, "set_nr_mmu_pages"),
    GET_NR_MMU_PAGES(Fd.VM, 0x0000_ae45L, "get_nr_mmu_pages"),
    SET_USER_MEMORY_REGION(Fd.VM, 0x4020_ae46L, "set_slot"),
    SET_TSS_ADDR(Fd.VM, 0x0000_ae47L, "set_tss_addr"),
    SET_IDENTITY_MAP_ADDR(Fd.VM, 0x4008_ae48L, "set_identity_map_addr"),
    SET_USER_MEMORY_REGION2(Fd.VM, 0x40a0_ae49L, "set_slot"),
    CREATE_IRQCHIP(Fd.VM, 0x0000_ae60L, "create_irqchip"),
    IRQ_LINE(Fd.VM, 0x4008_ae61L, "irq_line"),
    GET_IRQCHIP(Fd.VM, 0xc208_ae62L, "get_irqchip"),
    SET_IRQCHIP(Fd.VM, 0x8208_ae63L, "set_irqchip"),
    CREATE_PIT(Fd.VM, 0x0000_ae64L, "create_pit"),
    GET_PIT(Fd.VM, 0xc048_ae65L, "get_pit"),
    SET_PIT(Fd.VM, 0x8048_ae66L, "set_pit"),
    IRQ_LINE_STATUS(Fd.VM, 0xc008_ae67L, none("whether an interrupt was coalesced is not known")),
    REGISTER_COALESCED_MMIO(Fd.VM, 0x4010_ae67L, "register_coalesced_mmio"),
    UNREGISTER_COALESCED_MMIO(Fd.VM, 0x4010_ae68L, "unregister_coalesced_mmio"),
    SET_GSI_ROUTING(Fd.VM, 0x4008_ae6aL, "set_gsi_routing"),
    REINJECT_CONTROL(Fd.VM, 0x0000_ae71L, "reinject_control"),
    IRQFD(Fd.VM, 0x4020_ae76L, "irqfd"),
    CREATE_PIT2(Fd.VM, 0x4040_ae77L, "create_pit2"),
    SET_BOOT_CPU_ID(Fd.VM, 0x0000_ae78L, "set_boot_cpu_id"),
    IOEVENTFD(Fd.VM, 0x4040_ae79L, "ioeventfd"),
    SET_CLOCK(Fd.VM, 0x4030_ae7bL, "set_clock"),
    GET_CLOCK(Fd.VM, 0x8030_ae7cL, "get_clock"),
    GET_PIT2(Fd.VM, 0x8070_ae9fL, "get_pit2"),
    SET_PIT2(Fd.VM, 0x4070_aea0L, "set_pit2"),
    VM_SET_TSC_KHZ(Fd.VM, 0x0000_aea2L, "set_tsc_khz"),
    VM_GET_TSC_KHZ(Fd.VM, 0x0000_aea3L, "get_tsc_khz"),
    ENABLE_CAP(Fd.VM, 0x4068_aea3L, "enable_cap"),
    SIGNAL_MSI(Fd.VM, 0x4020_aea5L, "signal_msi"),
    SET_PMU_EVENT_FILTER(Fd.VM, 0x4020_aeb2L, none("there is no virtual PMU")),
    MEMORY_ENCRYPT_OP(Fd.VM, 0xc008_aebaL, none("each of its commands is a verb: finalize, launch_update ...")),
    MEMORY_ENCRYPT_REG_REGION(Fd.VM, 0x8010_aebbL, none("pinning of guest memory: no host page is ever moved")),
    MEMORY_ENCRYPT_UNREG_REGION(Fd.VM, 0x8010_aebcL, none("pinning of guest memory: no host page is ever moved")),
    CLEAR_DIRTY_LOG(Fd.VM, 0xc018_aec0L, "clear_dirty_log"),
    X86_SET_MSR_FILTER(Fd.VM, 0x4188_aec6L, "set_msr_filter"),
    RESET_DIRTY_RINGS(Fd.VM, 0x0000_aec7L, "reset_dirty_rings"),
    GET_STATS_FD(Fd.VM, 0x0000_aeceL, none("there is no file of them; the counters are `stats`")),
    SET_MEMORY_ATTRIBUTES(Fd.VM, 0x4020_aed2L, "set_attributes"),
    CREATE_GUEST_MEMFD(Fd.VM, 0xc040_aed4L, "create_gmem"),
    CREATE_DEVICE(Fd.VM, 0xc00c_aee0L, "create_device"),

    RUN(Fd.VCPU, 0x0000_ae80L, "run"),
    GET_REGS(Fd.VCPU, 0x8090_ae81L, "get_regs"),
    SET_REGS(Fd.VCPU, 0x4090_ae82L, "set_regs"),
    GET_SREGS(Fd.VCPU, 0x8138_ae83L, "get_sregs"),
    SET_SREGS(Fd.VCPU, 0x4138_ae84L, "set_sregs"),
    TRANSLATE(Fd.VCPU, 0xc018_ae85L, "translate"),
    INTERRUPT(Fd.VCPU, 0x4004_ae86L, "interrupt"),
    GET_MSRS(Fd.VCPU, 0xc008_ae88L, "get_msrs"),
    SET_MSRS(Fd.VCPU, 0x4008_ae89L, "set_msrs"),
    SET_CPUID(Fd.VCPU, 0x4008_ae8aL, none("the table of before 2008, without sub-leaves; use set_cpuid2")),
    SET_SIGNAL_MASK(Fd.VCPU, 0x4004_ae8bL, none("signals have no numbers here: each one that is sent ends KVM_RUN")),
    GET_FPU(Fd.VCPU, 0x81a0_ae8cL, "get_fpu"),
    SET_FPU(Fd.VCPU, 0x41a0_ae8dL, "set_fpu"),
    GET_LAPIC(Fd.VCPU, 0x8400_ae8eL, "get_lapic"),
    SET_LAPIC(Fd.VCPU, 0x4400_ae8fL, "set_lapic"),
    SET_CPUID2(Fd.VCPU, 0x4008_ae90L, "set_cpuid2"),
    GET_CPUID2(Fd.VCPU, 0xc008_ae91L, "get_cpuid2"),
    TPR_ACCESS_REPORTING(Fd.VCPU, 0xc028_ae92L, "tpr_access_reporting"),
    SET_VAPIC_ADDR(Fd.VCPU, 0x4008_ae93L, "set_vapic_addr"),
    GET_MP_STATE(Fd.VCPU, 0x8004_ae98L, "get_mp_state"),
    SET_MP_STATE(Fd.VCPU, 0x4004_ae99L, "set_mp_state"),
    NMI(Fd.VCPU, 0x0000_ae9aL, "nmi"),
    SET_GUEST_DEBUG(Fd.VCPU, 0x4048_ae9bL, "set_guest_debug"),
    X86_SETUP_MCE(Fd.VCPU, 0x4008_ae9cL, "setup_mce"),
    X86_SET_MCE(Fd.VCPU, 0x4040_ae9eL, "set_mce"),
    GET_VCPU_EVENTS(Fd.VCPU, 0x8040_ae9fL, "get_vcpu_events"),
    SET_VCPU_EVENTS(Fd.VCPU, 0x4040_aea0L, "set_vcpu_events"),
    GET_DEBUGREGS(Fd.VCPU, 0x8080_aea1L, "get_debugregs"),
    SET_DEBUGREGS(Fd.VCPU, 0x4080_aea2L, "set_debugregs"),
    SET_TSC_KHZ(Fd.VCPU, 0x0000_aea2L, "set_tsc_khz"),
    GET_TSC_KHZ(Fd.VCPU, 0x0000_aea3L, "get_tsc_khz"),
    VCPU_ENABLE_CAP(Fd.VCPU, 0x4068_aea3L, none("what it switches on is Hyper-V's and the paravirtual CPUID check")),
    GET_XSAVE(Fd.VCPU, 0x9000_aea4L, "get_xsave"),
    SET_XSAVE(Fd.VCPU, 0x5000_aea5L, "set_xsave"),
    GET_XCRS(Fd.VCPU, 0x8188_aea6L, "get_xcrs"),
    SET_XCRS(Fd.VCPU, 0x4188_aea7L, "set_xcrs"),
    GET_ONE_REG(Fd.VCPU, 0x4010_aeabL, none("registers by number came to x86 with 6.18; use get_msrs")),
    SET_ONE_REG(Fd.VCPU, 0x4010_aeacL, none("registers by number came to x86 with 6.18; use set_msrs")),
    KVMCLOCK_CTRL(Fd.VCPU, 0x0000_aeadL, "kvmclock_ctrl"),
    GET_REG_LIST(Fd.VCPU, 0xc008_aeb0L, none("registers by number came to x86 with 6.18; use get_msrs")),
    SMI(Fd.VCPU, 0x0000_aeb7L, "smi"),
    VCPU_MEMORY_ENCRYPT_OP(Fd.VCPU, 0xc008_aebaL, none("each of its commands is a verb: init_mem_region ...")),
    GET_NESTED_STATE(Fd.VCPU, 0xc080_aebeL, "get_nested_state"),
    SET_NESTED_STATE(Fd.VCPU, 0x4080_aebfL, "set_nested_state"),
    GET_SREGS2(Fd.VCPU, 0x8140_aeccL, "get_sregs2"),
    SET_SREGS2(Fd.VCPU, 0x4140_aecdL, "set_sregs2"),
    VCPU_GET_STATS_FD(Fd.VCPU, 0x0000_aeceL, none("there is no file of them; the counters are `exits`")),
    GET_XSAVE2(Fd.VCPU, 0x9000_aecfL, "get_xsave2"),
    PRE_FAULT_MEMORY(Fd.VCPU, 0xc040_aed5L, "map_memory");

    /** On which kind of descriptor an ioctl is issued. */
    public enum Fd {
        SYSTEM,
        VM,
        VCPU
    }

    private record Answer(String verb, String reason) {}

    private final Fd fd;
    private final long request;
    private final String verb;
    private final String reason;

    Ioctl(Fd fd, long request, String verb) {
        this(fd, request, new Answer(verb, ""));
    }

    Ioctl(Fd fd, long request, Answer answer) {
        this.fd = fd;
        this.request = request;
        this.verb = answer.verb;
        this.reason = answer.reason;
    }

    private static Answer none(String reason) {
        return new Answer("", reason);
    }

    /** On which kind of descriptor it is issued. */
    public Fd fd() {
        return fd;
    }

    /** The request number: direction, size of the struct, type 0xae, number. */
    public long request() {
        return request;
    }

    /** The verb of scripts that issues it; empty if it is not modelled. */
    public Optional<String> verb() {
        return Optional.of(verb).filter(word -> !word.isEmpty());
    }

    /** Why it is not modelled; empty if it is. */
    public String reason() {
        return reason;
    }

    /** As the header spells it. */
    public String spelling() {
        String name = name();
        for (String prefix : new String[] {"SYSTEM_", "VCPU_", "VM_"}) {
            name = name.startsWith(prefix) ? name.substring(prefix.length()) : name;
        }
        return "KVM_" + name;
    }

    /** The ioctl with that request number on that kind of descriptor. */
    public static Optional<Ioctl> of(Fd fd, long request) {
        return Stream.of(values())
                .filter(each -> each.fd == fd && each.request == request)
                .findFirst();
    }
}
