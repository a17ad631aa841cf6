package kvasir.kvm;

import java.util.Map;
import java.util.Optional;

/**
 * A check by which an ioctl of KVM's memory machinery, or a system call on one of its files, refuses: one row of its
 * errno table, in the order of the kernel's checks (kvm_main.c, guest_memfd.c, x86.c, mmu.c; 6.16 to 7.1).
 */
public enum Check {
    CREATE_VM_TYPE(Ioctl.CREATE_VM, Errno.EINVAL, "type not in KVM_CAP_VM_TYPES"),

    SLOT_COPY(Ioctl.SET_REGION, Errno.EFAULT, "struct unreadable"),
    SLOT_V1_FLAGS(Ioctl.SET_REGION, Errno.EINVAL, "version 1: a flag other than LOG_DIRTY and READONLY"),
    SLOT_ID(Ioctl.SET_REGION, Errno.EINVAL, "slot id not below 32764"),
    SLOT_FLAGS(Ioctl.SET_REGION, Errno.EINVAL, "flags not allowed for this VM and request"),
    SLOT_SIZE(Ioctl.SET_REGION, Errno.EINVAL, "memory_size unaligned"),
    SLOT_GPA(Ioctl.SET_REGION, Errno.EINVAL, "guest_phys_addr unaligned"),
    SLOT_HVA(Ioctl.SET_REGION, Errno.EINVAL, "userspace_addr unaligned or not user space's"),
    SLOT_GMEM_OFFSET(Ioctl.SET_REGION, Errno.EINVAL, "guest_memfd_offset unaligned or wraps"),
    SLOT_SPACE(Ioctl.SET_REGION, Errno.EINVAL, "no such address space"),
    SLOT_WRAP(Ioctl.SET_REGION, Errno.EINVAL, "guest_phys_addr + memory_size wraps"),
    SLOT_PAGES(Ioctl.SET_REGION, Errno.EINVAL, "more than 2^31 - 1 pages"),
    SLOT_DELETE_NONE(Ioctl.SET_REGION, Errno.EINVAL, "size 0 and no such slot"),
    SLOT_DELETE_MEMORY(Ioctl.SET_REGION, Errno.ENOMEM, "DELETE: no memory for the INVALID copy"),
    /** Cannot happen with 64-bit counts: 65528 slots of 2^31 - 1 pages do not reach 2^64. */
    SLOT_TOTAL(Ioctl.SET_REGION, Errno.EINVAL, "the sum of all slots' pages overflows"),
    SLOT_GMEM_CHANGE(Ioctl.SET_REGION, Errno.EINVAL, "a slot exists, and the request has GUEST_MEMFD"),
    SLOT_CHANGE(Ioctl.SET_REGION, Errno.EINVAL, "a slot's hva, size or READONLY would change"),
    SLOT_OVERLAP(Ioctl.SET_REGION, Errno.EEXIST, "overlaps another slot of the address space"),
    SLOT_MEMORY(Ioctl.SET_REGION, Errno.ENOMEM, "no memory for the slot"),
    BIND_FD(Ioctl.SET_REGION, Errno.EBADF, "guest_memfd: descriptor not open"),
    BIND_FILE(Ioctl.SET_REGION, Errno.EINVAL, "guest_memfd: another kind of file"),
    BIND_VM(Ioctl.SET_REGION, Errno.EINVAL, "guest_memfd: file of another VM"),
    BIND_RANGE(Ioctl.SET_REGION, Errno.EINVAL, "guest_memfd: beyond the end of the file"),
    BIND_BOUND(Ioctl.SET_REGION, Errno.EINVAL, "guest_memfd: a page is bound already"),
    SLOT_BITMAP(Ioctl.SET_REGION, Errno.ENOMEM, "no memory for the dirty bitmap"),
    SLOT_TRACKER(Ioctl.SET_REGION, Errno.EINVAL, "MOVE with an external write-tracker"),
    SLOT_MAX_GFN(Ioctl.SET_REGION, Errno.EINVAL, "last gfn above MAXPHYADDR"),
    SLOT_SHARED_BIT(Ioctl.SET_REGION, Errno.EINVAL, "last gfn has the shared bit"),
    SLOT_METADATA(Ioctl.SET_REGION, Errno.ENOMEM, "no memory for large-page metadata"),

    GMEM_COPY(Ioctl.CREATE_GMEM, Errno.EFAULT, "struct unreadable"),
    GMEM_FLAGS(Ioctl.CREATE_GMEM, Errno.EINVAL, "unknown flag"),
    GMEM_SIZE(Ioctl.CREATE_GMEM, Errno.EINVAL, "size not positive or unaligned"),
    GMEM_FDS(Ioctl.CREATE_GMEM, Errno.EMFILE, "no free descriptor"),
    GMEM_MEMORY(Ioctl.CREATE_GMEM, Errno.ENOMEM, "no memory for the file"),

    FALLOCATE_RANGE(Ioctl.GMEM_FILE, Errno.EINVAL, "fallocate: offset negative or length not positive"),
    FALLOCATE_KEEP_SIZE(Ioctl.GMEM_FILE, Errno.EOPNOTSUPP, "fallocate: without KEEP_SIZE"),
    FALLOCATE_MODE(Ioctl.GMEM_FILE, Errno.EOPNOTSUPP, "fallocate: another mode"),
    FALLOCATE_ALIGN(Ioctl.GMEM_FILE, Errno.EINVAL, "fallocate: unaligned"),
    FALLOCATE_END(Ioctl.GMEM_FILE, Errno.EINVAL, "fallocate: allocate past the end"),
    FALLOCATE_SIGNAL(Ioctl.GMEM_FILE, Errno.EINTR, "fallocate: a signal; earlier pages stay"),
    FALLOCATE_MEMORY(Ioctl.GMEM_FILE, Errno.ENOMEM, "fallocate: memory exhausted"),
    GMEM_TRUNCATE(Ioctl.GMEM_FILE, Errno.EINVAL, "truncate: the size never changes"),
    GMEM_READ_WRITE(Ioctl.GMEM_FILE, Errno.EINVAL, "read and write: no such file operation"),
    GMEM_MMAP(Ioctl.GMEM_FILE, Errno.ENODEV, "mmap: file without MMAP"),
    GMEM_MMAP_PRIVATE(Ioctl.GMEM_FILE, Errno.EINVAL, "mmap: MAP_PRIVATE"),
    GMEM_COLLAPSE(Ioctl.GMEM_FILE, Errno.EINVAL, "madvise: MADV_COLLAPSE"),

    ATTRIBUTES_COPY(Ioctl.SET_ATTRIBUTES, Errno.EFAULT, "struct unreadable"),
    ATTRIBUTES_FLAGS(Ioctl.SET_ATTRIBUTES, Errno.EINVAL, "flags not 0"),
    ATTRIBUTES_BIT(Ioctl.SET_ATTRIBUTES, Errno.EINVAL, "an attribute this VM type has not"),
    ATTRIBUTES_RANGE(Ioctl.SET_ATTRIBUTES, Errno.EINVAL, "size 0, or the range wraps"),
    ATTRIBUTES_ALIGN(Ioctl.SET_ATTRIBUTES, Errno.EINVAL, "unaligned"),
    ATTRIBUTES_MEMORY(Ioctl.SET_ATTRIBUTES, Errno.ENOMEM, "no memory to reserve; nothing changed"),

    GET_LOG_COPY_IN(Ioctl.GET_LOG, Errno.EFAULT, "struct unreadable"),
    GET_LOG_RING(Ioctl.GET_LOG, Errno.ENXIO, "the dirty ring is on, without bitmap"),
    GET_LOG_ID(Ioctl.GET_LOG, Errno.EINVAL, "no such address space or slot id"),
    GET_LOG_SLOT(Ioctl.GET_LOG, Errno.ENOENT, "no slot, or it does not log"),
    GET_LOG_COPY_OUT(Ioctl.GET_LOG, Errno.EFAULT, "bitmap cannot be written; bits may be lost"),

    CLEAR_LOG_COPY_IN(Ioctl.CLEAR_LOG, Errno.EFAULT, "struct unreadable"),
    CLEAR_LOG_RING(Ioctl.CLEAR_LOG, Errno.ENXIO, "the dirty ring is on, without bitmap"),
    CLEAR_LOG_ID(Ioctl.CLEAR_LOG, Errno.EINVAL, "no such address space or slot id"),
    CLEAR_LOG_FIRST(Ioctl.CLEAR_LOG, Errno.EINVAL, "first_page not a multiple of 64"),
    CLEAR_LOG_SLOT(Ioctl.CLEAR_LOG, Errno.ENOENT, "no slot, or it does not log"),
    CLEAR_LOG_RANGE(Ioctl.CLEAR_LOG, Errno.EINVAL, "past the slot's end, or num_pages odd within it"),
    CLEAR_LOG_BITMAP(Ioctl.CLEAR_LOG, Errno.EFAULT, "bitmap unreadable"),

    RESET_RINGS_NONE(Ioctl.RESET_RINGS, Errno.EINVAL, "there is no dirty ring"),

    CAP_UNKNOWN(Ioctl.ENABLE_CAP, Errno.EINVAL, "unknown capability"),
    CAP_MANUAL(Ioctl.ENABLE_CAP, Errno.EINVAL, "MANUAL_DIRTY_LOG_PROTECT2: INITIALLY_SET without ENABLE, other bits"),
    CAP_RING_SIZE(Ioctl.ENABLE_CAP, Errno.EINVAL, "DIRTY_LOG_RING: not a power of two"),
    CAP_RING_SMALL(Ioctl.ENABLE_CAP, Errno.EINVAL, "DIRTY_LOG_RING: below the reserved entries or a page"),
    CAP_RING_BIG(Ioctl.ENABLE_CAP, Errno.E2BIG, "DIRTY_LOG_RING: more than 65536 entries"),
    CAP_RING_TWICE(Ioctl.ENABLE_CAP, Errno.EINVAL, "DIRTY_LOG_RING: on already"),
    CAP_RING_VCPU(Ioctl.ENABLE_CAP, Errno.EINVAL, "DIRTY_LOG_RING: a vCPU exists"),
    CAP_RING_BITMAP(Ioctl.ENABLE_CAP, Errno.EINVAL, "DIRTY_LOG_RING_WITH_BITMAP: no ring, or a slot logs"),
    CAP_HYPERCALL(Ioctl.ENABLE_CAP, Errno.EINVAL, "EXIT_HYPERCALL: a bit other than 12"),
    CAP_QUIRKS(Ioctl.ENABLE_CAP, Errno.EINVAL, "DISABLE_QUIRKS2: unknown quirk"),
    CAP_NX_PERMISSION(Ioctl.ENABLE_CAP, Errno.EPERM, "VM_DISABLE_NX_HUGE_PAGES: without CAP_SYS_BOOT"),
    CAP_NX_ARG(Ioctl.ENABLE_CAP, Errno.EINVAL, "VM_DISABLE_NX_HUGE_PAGES: arg0 not 0"),
    CAP_NX_VCPU(Ioctl.ENABLE_CAP, Errno.EINVAL, "VM_DISABLE_NX_HUGE_PAGES: a vCPU exists"),
    CAP_MSR(Ioctl.ENABLE_CAP, Errno.EINVAL, "X86_USER_SPACE_MSR: unknown reason"),
    CAP_BUS_LOCK(Ioctl.ENABLE_CAP, Errno.EINVAL, "X86_BUS_LOCK_EXIT: unknown mode"),
    CAP_BUS_LOCK_BOTH(Ioctl.ENABLE_CAP, Errno.EINVAL, "X86_BUS_LOCK_EXIT: OFF and EXIT at once"),
    CAP_NOTIFY_FLAGS(Ioctl.ENABLE_CAP, Errno.EINVAL, "X86_NOTIFY_VMEXIT: unknown flag, or a host without it"),
    CAP_NOTIFY_OFF(Ioctl.ENABLE_CAP, Errno.EINVAL, "X86_NOTIFY_VMEXIT: without ENABLED"),
    CAP_NOTIFY_VCPU(Ioctl.ENABLE_CAP, Errno.EINVAL, "X86_NOTIFY_VMEXIT: a vCPU exists"),

    CAP_FLAGS(Ioctl.ENABLE_CAP, Errno.EINVAL, "flags not 0"),
    CAP_SPLIT_PINS(Ioctl.ENABLE_CAP, Errno.EINVAL, "SPLIT_IRQCHIP: more than 4096 pins"),
    CAP_SPLIT_EXISTS(Ioctl.ENABLE_CAP, Errno.EEXIST, "SPLIT_IRQCHIP: an irqchip or a vCPU exists"),
    CAP_EMULATION(Ioctl.ENABLE_CAP, Errno.EINVAL, "EXIT_ON_EMULATION_FAILURE: neither 0 nor 1"),
    CAP_X2APIC(Ioctl.ENABLE_CAP, Errno.EINVAL, "X2APIC_API: unknown bit"),
    CAP_VCPU_ID(Ioctl.ENABLE_CAP, Errno.EINVAL, "MAX_VCPU_ID: above 4096, or another was set"),

    IRQCHIP_EXISTS(Ioctl.CREATE_IRQCHIP, Errno.EEXIST, "there is one"),
    IRQCHIP_EOI(Ioctl.CREATE_IRQCHIP, Errno.ENOTTY, "a TD hides its EOIs from an I/O APIC in the kernel"),
    IRQCHIP_VCPU(Ioctl.CREATE_IRQCHIP, Errno.EINVAL, "a vCPU exists"),
    IRQCHIP_NONE(Ioctl.IRQCHIP, Errno.ENXIO, "there is none in the kernel, or it is split"),
    IRQCHIP_CHIP(Ioctl.IRQCHIP, Errno.EINVAL, "chip_id not 0, 1 or 2"),
    IRQ_LINE_NONE(Ioctl.IRQ_LINE, Errno.ENXIO, "no irqchip"),
    PIT_EXISTS(Ioctl.CREATE_PIT, Errno.EEXIST, "there is one"),
    PIT_WITHOUT_PIC(Ioctl.CREATE_PIT, Errno.ENOENT, "no 8259s in the kernel"),
    PIT_NONE(Ioctl.PIT, Errno.ENXIO, "there is none"),
    REINJECT_NONE(Ioctl.REINJECT, Errno.ENXIO, "there is no PIT"),
    ROUTING_NONE(Ioctl.ROUTING, Errno.EINVAL, "no irqchip"),
    ROUTING_COUNT(Ioctl.ROUTING, Errno.EINVAL, "more than 4096 entries"),
    ROUTING_FLAGS(Ioctl.ROUTING, Errno.EINVAL, "flags not 0"),
    ROUTING_GSI(Ioctl.ROUTING, Errno.EINVAL, "a gsi not below 4096"),
    ROUTING_ENTRY_FLAGS(Ioctl.ROUTING, Errno.EINVAL, "an entry's flags not 0"),
    ROUTING_TWICE(Ioctl.ROUTING, Errno.EINVAL, "a gsi twice to one chip, or as a message and more"),
    ROUTING_TYPE(Ioctl.ROUTING, Errno.EINVAL, "a type other than 1 IRQCHIP and 2 MSI"),
    ROUTING_PIN(Ioctl.ROUTING, Errno.EINVAL, "no such chip or pin, or a pin with a split irqchip"),
    MSI_NONE(Ioctl.MSI, Errno.EINVAL, "no irqchip, or flags not 0"),
    MSI_NOBODY(Ioctl.MSI, Errno.EPERM, "no local APIC has that destination"),
    TSS_ADDR_HIGH(Ioctl.TSS_ADDR, Errno.EINVAL, "above 4 GiB - 3 pages"),
    IDENTITY_VCPU(Ioctl.IDENTITY, Errno.EINVAL, "a vCPU exists"),
    BOOT_CPU_VCPU(Ioctl.BOOT_CPU, Errno.EBUSY, "a vCPU exists"),
    BOOT_CPU_ID(Ioctl.BOOT_CPU, Errno.EINVAL, "id above 4096"),
    MMU_PAGES_FEW(Ioctl.MMU_PAGES, Errno.EINVAL, "fewer than 64"),
    CLOCK_FLAGS(Ioctl.CLOCK, Errno.EINVAL, "unknown flag"),
    IRQFD_FLAGS(Ioctl.IRQFD, Errno.EINVAL, "unknown flag"),
    IRQFD_GSI(Ioctl.IRQFD, Errno.EINVAL, "gsi not below 4096"),
    IRQFD_NONE(Ioctl.IRQFD, Errno.EINVAL, "no irqchip, or RESAMPLE with a split one"),
    IRQFD_FD(Ioctl.IRQFD, Errno.EBADF, "descriptor not open"),
    IRQFD_FILE(Ioctl.IRQFD, Errno.EINVAL, "not an eventfd"),
    IRQFD_TWICE(Ioctl.IRQFD, Errno.EBUSY, "the eventfd is assigned already"),
    IOEVENTFD_LEN(Ioctl.IOEVENTFD, Errno.EINVAL, "len not 0, 1, 2, 4 or 8"),
    IOEVENTFD_WRAP(Ioctl.IOEVENTFD, Errno.EINVAL, "addr + len wraps"),
    IOEVENTFD_FLAGS(Ioctl.IOEVENTFD, Errno.EINVAL, "unknown flag"),
    IOEVENTFD_MATCH(Ioctl.IOEVENTFD, Errno.EINVAL, "DATAMATCH with len 0"),
    IOEVENTFD_FD(Ioctl.IOEVENTFD, Errno.EBADF, "descriptor not open"),
    IOEVENTFD_FILE(Ioctl.IOEVENTFD, Errno.EINVAL, "not an eventfd"),
    IOEVENTFD_EXISTS(Ioctl.IOEVENTFD, Errno.EEXIST, "another matches the same writes"),
    IOEVENTFD_NONE(Ioctl.IOEVENTFD, Errno.ENOENT, "DEASSIGN: none like it"),
    DEVICE_TYPE(Ioctl.DEVICE, Errno.ENODEV, "no such device on x86"),

    MSR_FILTER_COPY(Ioctl.MSR_FILTER, Errno.EFAULT, "struct unreadable"),
    MSR_FILTER_FLAGS(Ioctl.MSR_FILTER, Errno.EINVAL, "a flag other than DEFAULT_DENY"),
    MSR_FILTER_EMPTY(Ioctl.MSR_FILTER, Errno.EINVAL, "DEFAULT_DENY without any range"),
    MSR_FILTER_MEMORY(Ioctl.MSR_FILTER, Errno.ENOMEM, "no memory for the filter"),
    MSR_FILTER_RANGE_FLAGS(Ioctl.MSR_FILTER, Errno.EINVAL, "a range without READ and WRITE, or with more"),
    MSR_FILTER_RANGE_SIZE(Ioctl.MSR_FILTER, Errno.EINVAL, "a bitmap of more than 0x600 bytes"),
    MSR_FILTER_BITMAP(Ioctl.MSR_FILTER, Errno.EFAULT, "bitmap unreadable"),

    COALESCED_PIO(Ioctl.COALESCED, Errno.EINVAL, "pio neither 0 nor 1"),

    VCPU_ID(Ioctl.CREATE_VCPU, Errno.EINVAL, "id not below 4096"),
    VCPU_COUNT(Ioctl.CREATE_VCPU, Errno.EINVAL, "as many exist as the VM may have"),
    VCPU_TD_STATE(Ioctl.CREATE_VCPU, Errno.EIO, "TD: KVM_TDX_INIT_VM is not done, or the TD is finalized"),
    VCPU_TD_IRQCHIP(Ioctl.CREATE_VCPU, Errno.EINVAL, "TD: no split irqchip"),
    VCPU_EXISTS(Ioctl.CREATE_VCPU, Errno.EEXIST, "id exists"),

    PRE_FAULT_DEAD(Ioctl.PRE_FAULT, Errno.EIO, "the VM is dead"),
    PRE_FAULT_COPY_IN(Ioctl.PRE_FAULT, Errno.EFAULT, "struct unreadable"),
    PRE_FAULT_FLAGS(Ioctl.PRE_FAULT, Errno.EINVAL, "flags not 0"),
    PRE_FAULT_RANGE(Ioctl.PRE_FAULT, Errno.EINVAL, "unaligned, empty or wraps"),
    PRE_FAULT_SIGNAL(Ioctl.PRE_FAULT, Errno.EINTR, "a signal before the first page"),
    PRE_FAULT_NOT_ALLOWED(Ioctl.PRE_FAULT, Errno.EOPNOTSUPP, "the VM's launch is not finished"),
    PRE_FAULT_SHARED_BIT(Ioctl.PRE_FAULT, Errno.EINVAL, "gpa has the shared bit"),
    PRE_FAULT_ROOT(Ioctl.PRE_FAULT, Errno.ENOMEM, "no root can be made"),
    PRE_FAULT_MMU(Ioctl.PRE_FAULT, Errno.EOPNOTSUPP, "the vCPU's MMU is not the TDP one"),
    PRE_FAULT_TABLES(Ioctl.PRE_FAULT, Errno.ENOMEM, "no memory for page tables"),
    PRE_FAULT_INVALID_SLOT(Ioctl.PRE_FAULT, Errno.EAGAIN, "the slot is being deleted or moved"),
    PRE_FAULT_PRIVATE_NO_SLOT(Ioctl.PRE_FAULT, Errno.EFAULT, "private gfn, no slot"),
    PRE_FAULT_PRIVATE_NO_GMEM(Ioctl.PRE_FAULT, Errno.EFAULT, "private gfn, slot without guest_memfd"),
    PRE_FAULT_GMEM_CLOSED(Ioctl.PRE_FAULT, Errno.EFAULT, "private gfn, guest_memfd closed"),
    PRE_FAULT_ATTRIBUTE(Ioctl.PRE_FAULT, Errno.EFAULT, "the attribute changed meanwhile"),
    PRE_FAULT_HOST(Ioctl.PRE_FAULT, Errno.EFAULT, "host VMA absent or PROT_NONE"),
    PRE_FAULT_GMEM_MEMORY(Ioctl.PRE_FAULT, Errno.ENOMEM, "no memory for a guest_memfd page"),
    PRE_FAULT_GMEM_POISON(Ioctl.PRE_FAULT, Errno.EHWPOISON, "poisoned guest_memfd page"),
    PRE_FAULT_HOST_POISON(Ioctl.PRE_FAULT, Errno.EINTR, "poisoned host page: SIGBUS is the signal"),
    PRE_FAULT_NO_SLOT(Ioctl.PRE_FAULT, Errno.ENOENT, "no slot"),
    PRE_FAULT_COPY_OUT(Ioctl.PRE_FAULT, Errno.EFAULT, "struct cannot be written back"),

    RUN_DEAD(Ioctl.RUN, Errno.EIO, "the VM is dead"),
    RUN_ARG(Ioctl.RUN, Errno.EINVAL, "argument not 0"),
    RUN_IMMEDIATE_EXIT(Ioctl.RUN, Errno.EINTR, "immediate_exit"),
    RUN_SIGNAL(Ioctl.RUN, Errno.EINTR, "a signal"),
    RUN_SYNC_REGS(Ioctl.RUN, Errno.EINVAL, "kvm_valid_regs or kvm_dirty_regs with an unknown bit"),
    RUN_SYNC_STATE(Ioctl.RUN, Errno.EINVAL, "kvm_dirty_regs with registers or events that are not valid"),
    RUN_TD_STATE(Ioctl.RUN, Errno.EINVAL, "TD: not finalized, or the vCPU is not initialised"),
    RUN_CR8(Ioctl.RUN, Errno.EINVAL, "cr8 of kvm_run above 15"),
    RUN_WAKE(Ioctl.RUN, Errno.EAGAIN, "an uninitialized vCPU was woken"),
    RUN_MEMORY_FAULT(Ioctl.RUN, Errno.EFAULT, "MEMORY_FAULT"),
    RUN_POISON(Ioctl.RUN, Errno.EHWPOISON, "MEMORY_FAULT on a poisoned guest_memfd page"),
    RUN_HOST(Ioctl.RUN, Errno.EFAULT, "host VMA absent or PROT_NONE"),

    SET_CPUID_ENTRIES(Ioctl.SET_CPUID2, Errno.E2BIG, "more than 256 entries"),
    SET_CPUID_RAN(Ioctl.SET_CPUID2, Errno.EINVAL, "the vCPU has run, and the table would change"),
    SET_CPUID_WIDTH(Ioctl.SET_CPUID2, Errno.EINVAL, "linear addresses of a width other than 48, 57 and 0"),

    REGS_PROTECTED(Ioctl.REGS, Errno.EINVAL, "the guest's state is protected"),
    SREGS_PROTECTED(Ioctl.SREGS, Errno.EINVAL, "the guest's state is protected"),
    SREGS_INVALID(Ioctl.SREGS, Errno.EINVAL, "EFER, CR0, CR3, CR4 and CS do not go together"),
    SREGS_APIC_BASE(Ioctl.SREGS, Errno.EINVAL, "apic_base: reserved bits, or x2APIC without enable"),
    SREGS2_FLAGS(Ioctl.SREGS, Errno.EINVAL, "version 2: unknown flag"),
    SREGS2_PDPTRS(Ioctl.SREGS, Errno.EINVAL, "version 2: PDPTRs without PAE paging"),
    MSRS_COUNT(Ioctl.MSRS, Errno.E2BIG, "256 entries or more"),
    EVENTS_FLAGS(Ioctl.EVENTS, Errno.EINVAL, "unknown flag"),
    EVENTS_PAYLOAD(Ioctl.EVENTS, Errno.EINVAL, "VALID_PAYLOAD without the capability"),
    EVENTS_EXCEPTION(Ioctl.EVENTS, Errno.EINVAL, "a vector above 31, or 2"),
    EVENTS_SMM(Ioctl.EVENTS, Errno.EINVAL, "SMM in a vCPU that waits for its start-up IPI"),
    EVENTS_TRIPLE_FAULT(Ioctl.EVENTS, Errno.EINVAL, "VALID_TRIPLE_FAULT without the capability"),
    MP_STATE_UNKNOWN(Ioctl.MP_STATE, Errno.EINVAL, "unknown state"),
    MP_STATE_APIC(Ioctl.MP_STATE, Errno.EINVAL, "a state other than RUNNABLE without in-kernel local APIC"),
    MP_STATE_SMM(Ioctl.MP_STATE, Errno.EINVAL, "INIT_RECEIVED or SIPI_RECEIVED in SMM"),
    INTERRUPT_VECTOR(Ioctl.INTERRUPT, Errno.EINVAL, "vector above 255"),
    INTERRUPT_PIC(Ioctl.INTERRUPT, Errno.ENXIO, "the 8259s are in the kernel"),
    INTERRUPT_PENDING(Ioctl.INTERRUPT, Errno.EEXIST, "split irqchip: one waits already"),
    TSC_SLOWER(Ioctl.TSC_KHZ, Errno.EINVAL, "slower than the host, which cannot scale"),

    VM_TSC_FASTER(Ioctl.TSC_KHZ, Errno.EINVAL, "VM: above the host's rate"),

    LAPIC_NONE(Ioctl.LAPIC, Errno.EINVAL, "no local APIC in the kernel"),
    LAPIC_ID(Ioctl.LAPIC, Errno.EINVAL, "x2APIC with 32-bit ids: id is not the vCPU's"),
    FPU_PROTECTED(Ioctl.FPU, Errno.EINVAL, "the guest's state is protected"),
    XSAVE_FEATURES(Ioctl.FPU, Errno.EINVAL, "xstate_bv with a feature that is not supported, or xcomp_bv"),
    XSAVE_MXCSR(Ioctl.FPU, Errno.EINVAL, "reserved bits in mxcsr"),
    XCRS_COUNT(Ioctl.XCRS, Errno.EINVAL, "more than 16 entries, or flags not 0"),
    XCRS_VALUE(Ioctl.XCRS, Errno.EINVAL, "a value of XCR0 that XSETBV refuses"),
    DEBUGREGS_FLAGS(Ioctl.DEBUGREGS, Errno.EINVAL, "flags not 0"),
    DEBUGREGS_VALUE(Ioctl.DEBUGREGS, Errno.EINVAL, "dr6 or dr7 with high bits"),
    TPR_FLAGS(Ioctl.TPR, Errno.EINVAL, "flags not 0"),
    VAPIC_NONE(Ioctl.VAPIC, Errno.EINVAL, "no local APIC in the kernel"),
    SETUP_MCE_CAP(Ioctl.MCE, Errno.EINVAL, "no bank, more than 32, or an unknown capability"),
    SET_MCE_BANK(Ioctl.MCE, Errno.EINVAL, "no such bank, or status without VAL"),
    CPUID_SMALL(Ioctl.GET_CPUID2, Errno.E2BIG, "nent too small"),
    CLOCK_CTRL(Ioctl.KVMCLOCK, Errno.EINVAL, "the guest has not switched its clock on"),
    NESTED_STATE(Ioctl.NESTED, Errno.EINVAL, "no nested virtualisation"),
    DEBUG_PROTECTED(Ioctl.DEBUG, Errno.EINVAL, "the guest's state is protected"),
    DEBUG_PENDING(Ioctl.DEBUG, Errno.EBUSY, "INJECT_DB or INJECT_BP, and an exception is pending"),

    SYSTEM_ARG(Ioctl.SYSTEM, Errno.EINVAL, "KVM_GET_API_VERSION, KVM_GET_VCPU_MMAP_SIZE: argument not 0"),
    MSR_LIST_SMALL(Ioctl.SYSTEM, Errno.E2BIG, "KVM_GET_MSR_INDEX_LIST: nmsrs too small"),
    SUPPORTED_CPUID_SMALL(Ioctl.SYSTEM, Errno.E2BIG, "KVM_GET_SUPPORTED_CPUID: nent 0 or too small"),
    DEVICE_ATTR(Ioctl.SYSTEM, Errno.ENXIO, "KVM_GET_DEVICE_ATTR: no such attribute"),
    UNKNOWN_VM(Ioctl.UNKNOWN, Errno.ENOTTY, "VM"),
    UNKNOWN_VCPU(Ioctl.UNKNOWN, Errno.EINVAL, "vCPU"),
    UNKNOWN_SYSTEM(Ioctl.UNKNOWN, Errno.EINVAL, "/dev/kvm"),

    TDX_CMD_COPY(Ioctl.TDX, Errno.EFAULT, "struct kvm_tdx_cmd unreadable"),
    TDX_CMD_HW_ERROR(Ioctl.TDX, Errno.EINVAL, "hw_error not 0"),
    TDX_CMD_ID(Ioctl.TDX, Errno.EINVAL, "no such command of this file"),
    TDX_CMD_CREATING(Ioctl.TDX, Errno.EBUSY, "6.19: a vCPU is being created"),
    TDX_CMD_VCPU_STATE(Ioctl.TDX, Errno.EINVAL, "of a vCPU: the TD has no HKID, or is finalized"),

    TDX_CAPS_FLAGS(Ioctl.TDX_CAPS, Errno.EINVAL, "flags not 0"),
    TDX_CAPS_COPY(Ioctl.TDX_CAPS, Errno.EFAULT, "nent unreadable"),
    TDX_CAPS_NENT(Ioctl.TDX_CAPS, Errno.E2BIG, "room for fewer entries than configurable leaves"),
    TDX_CAPS_MEMORY(Ioctl.TDX_CAPS, Errno.ENOMEM, "no memory for the answer"),

    TDX_INIT_STATE(Ioctl.TDX_INIT_VM, Errno.EINVAL, "the TD is initialised already"),
    TDX_INIT_FLAGS(Ioctl.TDX_INIT_VM, Errno.EINVAL, "flags not 0"),
    TDX_INIT_NENT(Ioctl.TDX_INIT_VM, Errno.E2BIG, "more than 256 CPUID entries"),
    TDX_INIT_COPY(Ioctl.TDX_INIT_VM, Errno.EFAULT, "struct kvm_tdx_init_vm unreadable"),
    TDX_INIT_RESERVED(Ioctl.TDX_INIT_VM, Errno.EINVAL, "reserved not 0"),
    TDX_INIT_PADDING(Ioctl.TDX_INIT_VM, Errno.EINVAL, "cpuid.padding not 0"),
    TDX_INIT_PARAMS(Ioctl.TDX_INIT_VM, Errno.ENOMEM, "no memory for TD_PARAMS"),
    TDX_INIT_VCPUS(Ioctl.TDX_INIT_VM, Errno.EBUSY, "a vCPU was created already"),
    TDX_INIT_ATTRIBUTES(Ioctl.TDX_INIT_VM, Errno.EINVAL, "attributes that KVM does not support"),
    TDX_INIT_XFAM(Ioctl.TDX_INIT_VM, Errno.EINVAL, "xfam that is not supported"),
    TDX_INIT_NO_WIDTH(Ioctl.TDX_INIT_VM, Errno.EINVAL, "no entry for CPUID 0x80000008"),
    TDX_INIT_WIDTH(Ioctl.TDX_INIT_VM, Errno.EINVAL, "guest address width neither 48 nor 52"),
    TDX_INIT_LEVELS(Ioctl.TDX_INIT_VM, Errno.EINVAL, "width 52 without five-level EPT"),
    TDX_INIT_UNSUPPORTED(Ioctl.TDX_INIT_VM, Errno.EINVAL, "a CPUID entry with TSX or WAITPKG"),
    TDX_INIT_LEAF(Ioctl.TDX_INIT_VM, Errno.EINVAL, "a CPUID entry that is not configurable"),
    TDX_INIT_HKID(Ioctl.TDX_INIT_VM, Errno.ENOSPC, "no free HKID"),
    TDX_INIT_MEMORY(Ioctl.TDX_INIT_VM, Errno.ENOMEM, "no page for the TDR or the TDCS"),
    TDX_INIT_ENTROPY(Ioctl.TDX_INIT_VM, Errno.EAGAIN, "TDH.MNG.CREATE or ADDCX: no entropy"),
    TDX_INIT_CREATE(Ioctl.TDX_INIT_VM, Errno.EIO, "TDH.MNG.CREATE, KEY.CONFIG or ADDCX refused otherwise"),
    TDX_INIT_OPERAND(Ioctl.TDX_INIT_VM, Errno.EINVAL, "TDH.MNG.INIT: TDX_OPERAND_INVALID"),
    TDX_INIT_REFUSED(Ioctl.TDX_INIT_VM, Errno.EIO, "TDH.MNG.INIT refused otherwise"),

    TDX_VCPU_FLAGS(Ioctl.TDX_INIT_VCPU, Errno.EINVAL, "flags not 0"),
    TDX_VCPU_STATE(Ioctl.TDX_INIT_VCPU, Errno.EINVAL, "the vCPU is initialised already"),
    TDX_VCPU_X2APIC(Ioctl.TDX_INIT_VCPU, Errno.EINVAL, "the guest's CPUID lacks x2APIC"),
    TDX_VCPU_MEMORY(Ioctl.TDX_INIT_VCPU, Errno.ENOMEM, "no page for the TDVPR or a TDCX"),
    TDX_VCPU_REFUSED(Ioctl.TDX_INIT_VCPU, Errno.EIO, "TDH.VP.CREATE, ADDCX or INIT refused"),

    TDX_CPUID_COPY(Ioctl.TDX_GET_CPUID, Errno.EFAULT, "struct kvm_cpuid2 unreadable"),
    TDX_CPUID_NENT(Ioctl.TDX_GET_CPUID, Errno.E2BIG, "room for fewer entries than the TD has"),

    TDX_REGION_VCPU(Ioctl.TDX_REGION, Errno.EINVAL, "the vCPU is not initialised"),
    TDX_REGION_FLAGS(Ioctl.TDX_REGION, Errno.EINVAL, "a flag other than MEASURE"),
    TDX_REGION_COPY(Ioctl.TDX_REGION, Errno.EFAULT, "struct kvm_tdx_init_mem_region unreadable"),
    TDX_REGION_ALIGNED(Ioctl.TDX_REGION, Errno.EINVAL, "source_addr or gpa unaligned"),
    TDX_REGION_RANGE(Ioctl.TDX_REGION, Errno.EINVAL, "nr_pages 0, or the range wraps"),
    TDX_REGION_SHARED(Ioctl.TDX_REGION, Errno.EINVAL, "an end of the range is a shared address"),
    TDX_REGION_SIGNAL(Ioctl.TDX_REGION, Errno.EINTR, "a signal; earlier pages stay"),
    TDX_REGION_SLOT(Ioctl.TDX_REGION, Errno.EINVAL, "no memslot, or one without guest_memfd"),
    TDX_REGION_FILE(Ioctl.TDX_REGION, Errno.EFAULT, "the guest_memfd is closed"),
    TDX_REGION_MEMORY(Ioctl.TDX_REGION, Errno.ENOMEM, "no memory for the guest_memfd page"),
    TDX_REGION_POPULATED(Ioctl.TDX_REGION, Errno.EEXIST, "6.16: the page is populated already"),
    TDX_REGION_ATTRIBUTE(Ioctl.TDX_REGION, Errno.EINVAL, "the page is not private by its attribute"),
    TDX_REGION_IN_PLACE(Ioctl.TDX_REGION, Errno.EOPNOTSUPP, "6.19: source_addr 0"),
    TDX_REGION_PIN(Ioctl.TDX_REGION, Errno.EFAULT, "the source page cannot be pinned"),
    TDX_REGION_MAPPED(Ioctl.TDX_REGION, Errno.EIO, "6.19: the page is mapped already"),
    TDX_REGION_BUSY(Ioctl.TDX_REGION, Errno.EBUSY, "TDH.MEM.PAGE.ADD or SEPT.ADD: operand busy"),
    TDX_REGION_ADD(Ioctl.TDX_REGION, Errno.EIO, "TDH.MEM.PAGE.ADD or SEPT.ADD refused otherwise"),
    TDX_REGION_EXTEND(Ioctl.TDX_REGION, Errno.EIO, "TDH.MR.EXTEND refused"),

    TDX_FINALIZE_STATE(Ioctl.TDX_FINALIZE, Errno.EINVAL, "no HKID, or finalized already"),
    TDX_FINALIZE_PREMAPPED(Ioctl.TDX_FINALIZE, Errno.EINVAL, "up to 6.18: mapped pages are not added"),
    TDX_FINALIZE_BUSY(Ioctl.TDX_FINALIZE, Errno.EBUSY, "TDH.MR.FINALIZE: operand busy"),
    TDX_FINALIZE_REFUSED(Ioctl.TDX_FINALIZE, Errno.EIO, "TDH.MR.FINALIZE refused otherwise");

    private static final class Ioctl {
        static final String CREATE_VM = "KVM_CREATE_VM";
        static final String SET_REGION = "KVM_SET_USER_MEMORY_REGION[2]";
        static final String CREATE_GMEM = "KVM_CREATE_GUEST_MEMFD";
        static final String GMEM_FILE = "guest_memfd file";
        static final String SET_ATTRIBUTES = "KVM_SET_MEMORY_ATTRIBUTES";
        static final String GET_LOG = "KVM_GET_DIRTY_LOG";
        static final String CLEAR_LOG = "KVM_CLEAR_DIRTY_LOG";
        static final String RESET_RINGS = "KVM_RESET_DIRTY_RINGS";
        static final String ENABLE_CAP = "KVM_ENABLE_CAP";
        static final String CREATE_VCPU = "KVM_CREATE_VCPU";
        static final String PRE_FAULT = "KVM_PRE_FAULT_MEMORY";
        static final String RUN = "KVM_RUN";
        static final String SET_CPUID2 = "KVM_SET_CPUID2";
        static final String COALESCED = "KVM_(UN)REGISTER_COALESCED_MMIO";
        static final String MSR_FILTER = "KVM_X86_SET_MSR_FILTER";
        static final String REGS = "KVM_GET_REGS, KVM_SET_REGS";
        static final String SREGS = "KVM_GET_SREGS[2], KVM_SET_SREGS[2]";
        static final String MSRS = "KVM_GET_MSRS, KVM_SET_MSRS";
        static final String EVENTS = "KVM_SET_VCPU_EVENTS";
        static final String MP_STATE = "KVM_SET_MP_STATE";
        static final String INTERRUPT = "KVM_INTERRUPT";
        static final String TSC_KHZ = "KVM_SET_TSC_KHZ";
        static final String CREATE_IRQCHIP = "KVM_CREATE_IRQCHIP";
        static final String IRQCHIP = "KVM_GET_IRQCHIP, KVM_SET_IRQCHIP";
        static final String IRQ_LINE = "KVM_IRQ_LINE";
        static final String CREATE_PIT = "KVM_CREATE_PIT[2]";
        static final String PIT = "KVM_GET_PIT[2], KVM_SET_PIT[2]";
        static final String REINJECT = "KVM_REINJECT_CONTROL";
        static final String ROUTING = "KVM_SET_GSI_ROUTING";
        static final String MSI = "KVM_SIGNAL_MSI";
        static final String TSS_ADDR = "KVM_SET_TSS_ADDR";
        static final String IDENTITY = "KVM_SET_IDENTITY_MAP_ADDR";
        static final String BOOT_CPU = "KVM_SET_BOOT_CPU_ID";
        static final String MMU_PAGES = "KVM_SET_NR_MMU_PAGES";
        static final String CLOCK = "KVM_SET_CLOCK";
        static final String IRQFD = "KVM_IRQFD";
        static final String IOEVENTFD = "KVM_IOEVENTFD";
        static final String DEVICE = "KVM_CREATE_DEVICE";
        static final String LAPIC = "KVM_GET_LAPIC, KVM_SET_LAPIC";
        static final String FPU = "KVM_*_FPU, KVM_*_XSAVE";
        static final String XCRS = "KVM_SET_XCRS";
        static final String DEBUGREGS = "KVM_SET_DEBUGREGS";
        static final String TPR = "KVM_TPR_ACCESS_REPORTING";
        static final String VAPIC = "KVM_SET_VAPIC_ADDR";
        static final String MCE = "KVM_X86_SETUP_MCE, KVM_X86_SET_MCE";
        static final String GET_CPUID2 = "KVM_GET_CPUID2";
        static final String KVMCLOCK = "KVM_KVMCLOCK_CTRL";
        static final String NESTED = "KVM_GET_NESTED_STATE, KVM_SET_NESTED_STATE";
        static final String DEBUG = "KVM_SET_GUEST_DEBUG";
        static final String SYSTEM = "/dev/kvm";
        static final String UNKNOWN = "an unknown ioctl";
        static final String TDX = "KVM_TDX_*, every command";
        static final String TDX_CAPS = "KVM_TDX_CAPABILITIES";
        static final String TDX_INIT_VM = "KVM_TDX_INIT_VM";
        static final String TDX_INIT_VCPU = "KVM_TDX_INIT_VCPU";
        static final String TDX_GET_CPUID = "KVM_TDX_GET_CPUID";
        static final String TDX_REGION = "KVM_TDX_INIT_MEM_REGION";
        static final String TDX_FINALIZE = "KVM_TDX_FINALIZE_VM";
    }

    private final String ioctl;
    private final Errno errno;
    private final String condition;

    Check(String ioctl, Errno errno, String condition) {
        this.ioctl = ioctl;
        this.errno = errno;
        this.condition = condition;
    }

    /** Whose table the row is in: {@code KVM_SET_MEMORY_ATTRIBUTES}. */
    public String ioctl() {
        return ioctl;
    }

    public Errno errno() {
        return errno;
    }

    /** What makes it refuse, in a few words. */
    public String condition() {
        return condition;
    }

    /** Whether any input can make it refuse. */
    public boolean reachable() {
        return this != SLOT_TOTAL;
    }

    /** The ioctl's answer. */
    public IoctlResult refuse(String reason) {
        return refuse(reason, Map.of());
    }

    /** The ioctl's answer, with facts for scripts. */
    public IoctlResult refuse(String reason, Map<String, ?> details) {
        return new IoctlResult.Err(errno, reason, details, Optional.of(this));
    }
}
