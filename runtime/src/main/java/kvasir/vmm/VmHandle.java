package kvasir.vmm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import kvasir.event.Topic;
import kvasir.kvm.Errno;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.MemoryAttributes;
import kvasir.kvm.MemoryRegion;
import kvasir.kvm.Memslot;
import kvasir.kvm.MsrFilter;
import kvasir.kvm.Vm;
import kvasir.kvm.VmType;
import kvasir.kvm.gmem.GuestMemfd;
import kvasir.kvm.mmu.TdpMmu;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Arguments;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
import kvasir.vmm.boot.BootException;
import kvasir.vmm.boot.KernelFile;
import kvasir.vmm.device.VgaText;

/** A VM as scripts hold it. */
public class VmHandle implements Described {
    static final Api<VmHandle> API =
            declare(Api.of("vm", VmHandle.class, "A virtual machine.")).build();

    final Machine machine;
    final Vm vm;
    Optional<Pc> pc = Optional.empty();

    /** @param vm what KVM knows of it */
    protected VmHandle(Machine machine, Vm vm) {
        this.machine = machine;
        this.vm = vm;
    }

    /** The machine it is part of. */
    protected final Machine machine() {
        return machine;
    }

    /** What KVM knows of it. */
    public final Vm vm() {
        return vm;
    }

    /** Its devices, if the declaration asked for them. */
    public final Optional<Pc> pc() {
        return pc;
    }

    void attach(Pc devices) {
        pc = Optional.of(devices);
    }

    final TdpMmu mmu() {
        return (TdpMmu) vm.mmu();
    }

    /** Adds what every kind of VM can do. */
    protected static <T extends VmHandle> Api.Builder<T> declare(Api.Builder<T> api) {
        return declare(api, "vcpu");
    }

    /** The same where vCPUs are handles of another kind, the declaration called {@code vcpuType}. */
    protected static <T extends VmHandle> Api.Builder<T> declare(Api.Builder<T> api, String vcpuType) {
        return VmPlatform.declare(
                declarePc(declareViews(declareDirtyLog(declareGmem(declareMemory(declareSlots(api)))), vcpuType)));
    }

    /** The handle of one vCPU. */
    protected VcpuHandle vcpuHandle(kvasir.kvm.Vcpu vcpu) {
        return new VcpuHandle(machine, vcpu);
    }

    private static <T extends VmHandle> Api.Builder<T> declarePc(Api.Builder<T> api) {
        return api.operation(
                        "boot",
                        List.of(
                                Parameter.of("kernel", Kind.HANDLE, "", "what `multiboot(\"x.flat\")` gives"),
                                keyword("args", Kind.STRING, "", "its command line"),
                                keyword(
                                        "initrd",
                                        Kind.BYTES,
                                        "",
                                        "loaded beside it; the module of a multiboot kernel")),
                        "Loads a kernel and the ACPI tables into guest memory, as QEMU's -kernel, and points vcpu0 at its "
                                + "entry; `run` then runs it. Needs `devices` in the declaration. Errors: ENOEXEC if it "
                                + "does not fit, EACCES if memory there is private, ENODEV without devices.",
                        "boot pc from multiboot(\"x.flat\") args \"quiet\"",
                        VmHandle::boot)
                .operation(
                        "run",
                        List.of(keyword("budget", Kind.U64, "instructions", "of all vCPUs together")),
                        "Runs the vCPUs in turn and answers their exits with the devices, until the guest ends: "
                                + "DEBUG_EXIT with the code (value * 2 + 1, as QEMU's isa-debug-exit), RESET, POWER_OFF, ASLEEP (all "
                                + "vCPUs sleep and no timer is armed), or an exit of one vCPU that no device answers.",
                        "pc.run -> DEBUG_EXIT code 1",
                        (vm, a) -> vm.withPc(pc -> vm.runAll(
                                pc, a.u64("budget", vm.machine.config().instructionBudget()))))
                .operation(
                        "type",
                        List.of(Parameter.of("text", Kind.STRING, "", "what arrives")),
                        "Bytes arrive at COM1.",
                        "pc.type \"yes\"",
                        (vm, a) -> vm.withPc(pc -> pc.type(a.string("text"))))
                .operation(
                        "expect",
                        Pc.EXPECT,
                        "Runs the guest until it sends the text on that port, behind what an earlier `expect` found. Errors: "
                                + "ETIME, or how the run ended, with the last lines of the console.",
                        "pc.expect serial \"login:\"",
                        VmHandle::expect)
                .operation(
                        "send",
                        Pc.SEND,
                        "Bytes arrive at the port; at COM1 as `type`.",
                        "pc.send serial \"ls\\n\"",
                        VmHandle::send)
                .operation(
                        "printed",
                        List.of(Parameter.of("text", Kind.STRING, "", "what to look for")),
                        "Whether the guest has sent this text on COM1.",
                        "assert pc.printed(\"hello\")",
                        (vm, a) -> vm.withPc(pc -> pc.serial().contains(a.string("text"))))
                .property(
                        "serial",
                        "string",
                        "Everything that the guest has sent on COM1.",
                        "show pc.serial",
                        vm -> vm.pc.map(Pc::serial).orElse(""))
                .property(
                        "screen",
                        "string",
                        "What the text mode of a VGA adapter would show: 80 x 25 characters of code page 437 at gpa B8000h. "
                                + "There is no adapter; the guest's memory there is read.",
                        "show pc.screen",
                        vm -> GuestMemory.read(vm.vm, new Range(VgaText.GPA, VgaText.GPA + VgaText.BYTES))
                                        instanceof Bytes cells
                                ? VgaText.of(cells)
                                : "")
                .operation(
                        "on_screen",
                        List.of(Parameter.of("text", Kind.STRING, "", "what to look for")),
                        "Whether this text stands on `screen`.",
                        "assert pc.on_screen(\"Memtest86+\")",
                        (vm, a) -> GuestMemory.read(vm.vm, new Range(VgaText.GPA, VgaText.GPA + VgaText.BYTES))
                                        instanceof Bytes cells
                                && VgaText.of(cells).contains(a.string("text")))
                .operation(
                        "logged",
                        List.of(Parameter.of("text", Kind.STRING, "", "what to look for")),
                        "Whether the guest has written this text to the debug console.",
                        "assert pc.logged(\"SeaBIOS\")",
                        (vm, a) -> vm.withPc(pc -> pc.debugConsole().contains(a.string("text"))))
                .property(
                        "console",
                        "string",
                        "Everything that the guest has sent on its virtio console.",
                        "show pc.console",
                        vm -> vm.pc.map(Pc::console).orElse(""))
                .property(
                        "debug_console",
                        "string",
                        "Everything that the guest has written to port E9h.",
                        "show pc.debug_console",
                        vm -> vm.pc.map(Pc::debugConsole).orElse(""))
                .property(
                        "smp",
                        "string",
                        "How `run` executes the vCPUs: turns or threads.",
                        "show pc.smp",
                        vm -> vm.vm.processors().isPresent() ? "threads" : "turns")
                .property("now", "u64", "Virtual time in ticks of 1 ns.", "show pc.now", vm -> vm.vm.now());
    }

    /** Runs a confidential guest with the devices of a small PC, which it keeps from run to run. */
    final Outcome runAsPc(long budget) {
        if (pc.isEmpty()) {
            pc = Optional.of(Pc.confidential(vm));
        }
        return pc.get().runAndTell(budget);
    }

    final Outcome runAll(Pc devices, long budget) {
        if (vm.processors().isPresent() && !vm.seams().sequential()) {
            return new Outcome.Failed(
                    "unsupported",
                    "unsupported: in a race the explorer decides who runs, and vCPUs on threads would not ask it: "
                            + "declare the VM without `smp threads`",
                    Map.of());
        }
        return devices.run(budget).outcome();
    }

    final Object withPc(Function<Pc, Object> body) {
        return pc.isPresent()
                ? body.apply(pc.get())
                : new Outcome.Failed("ENODEV", "the VM has no devices: declare it with `devices`", Map.of());
    }

    final Object expect(Arguments a) {
        return withPc(pc -> pc.expect(a.string("port"), a.string("text"), a.u64("budget", Pc.EXPECT_BUDGET)));
    }

    final Object send(Arguments a) {
        return withPc(pc -> pc.type(a.string("port"), a.string("text")));
    }

    private Object boot(Arguments a) {
        machine.setBooted(this);
        if (vm.type() != VmType.DEFAULT && vm.type() != VmType.SW_PROTECTED) {
            return new Outcome.Failed(
                    "unsupported",
                    "unsupported: a VM of type " + vm.type() + " begins in measured firmware; see `launch`",
                    Map.of());
        }
        if (!(a.get("kernel", Described.class) instanceof KernelView kernel)) {
            return new Outcome.Failed("EINVAL", "a kernel file is wanted: multiboot(\"x.flat\")", Map.of());
        }
        return withPc(devices -> {
            try {
                return devices.load(kernel.file()
                        .load(new KernelFile.Request(
                                a.optional("args", String.class).orElse(""),
                                a.optional("initrd", Bytes.class).orElse(Bytes.of()),
                                devices.memory())));
            } catch (BootException e) {
                return KernelView.refused(e);
            }
        });
    }

    private static <T extends VmHandle> Api.Builder<T> declareSlots(Api.Builder<T> api) {
        return api.operation(
                        "set_slot",
                        List.of(
                                Parameter.of("slot", Kind.U64, "", "id in bits 15:0, address space in bits 31:16"),
                                keyword("gpa", Kind.U64, "bytes", "guest_phys_addr"),
                                keyword("size", Kind.U64, "bytes", "memory_size; 0 deletes"),
                                keyword("hva", Kind.U64, "bytes", "userspace_addr"),
                                keyword("flags", Kind.U64, "", "1 LOG_DIRTY_PAGES, 2 READONLY, 4 GUEST_MEMFD"),
                                keyword("gmem", Kind.U64, "", "guest_memfd descriptor"),
                                keyword("offset", Kind.U64, "bytes", "guest_memfd_offset"),
                                VmBuilder.flag("v1", "KVM_SET_USER_MEMORY_REGION, which knows no guest_memfd")),
                        "KVM_SET_USER_MEMORY_REGION2 with the struct's fields as given; fields left out are 0. Creates, "
                                + "moves, deletes a slot or changes its flags. Errors: EINVAL, EEXIST, EBADF, ENOMEM, "
                                + "in the order of kvm_main.c, kvm_set_memory_region.",
                        "plain.set_slot 3 gpa 128M size 2M hva plain.host.mmap(2M)",
                        (vm, a) -> vm.setSlot(a))
                .operation(
                        "delete_slot",
                        List.of(Parameter.of("slot", Kind.U64, "", "id in bits 15:0, address space in bits 31:16")),
                        "KVM_SET_USER_MEMORY_REGION2 with memory_size 0.",
                        "plain.delete_slot 0",
                        (vm, a) -> vm.vm.setUserMemoryRegion2(MemoryRegion.deletion((int) a.u64("slot")))
                                .outcome())
                .operation(
                        "move_slot",
                        List.of(
                                Parameter.of("slot", Kind.U64, "", "id in bits 15:0, address space in bits 31:16"),
                                Parameter.of("to", Kind.U64, "bytes", "new guest_phys_addr")
                                        .asKeyword()),
                        "KVM_SET_USER_MEMORY_REGION2 with another guest_phys_addr and the rest as it is.",
                        "plain.move_slot 0 to 128M",
                        (vm, a) -> vm.changeSlot((int) a.u64("slot"), a.u64("to"), -1))
                .operation(
                        "set_flags",
                        List.of(
                                Parameter.of("slot", Kind.U64, "", "id in bits 15:0, address space in bits 31:16"),
                                Parameter.of("flags", Kind.U64, "", "1 LOG_DIRTY_PAGES, 2 READONLY")),
                        "KVM_SET_USER_MEMORY_REGION2 with other flags and the rest as it is.",
                        "plain.set_flags 0 1",
                        (vm, a) -> vm.changeSlot((int) a.u64("slot"), -1, a.u64("flags")));
    }

    private static <T extends VmHandle> Api.Builder<T> declareMemory(Api.Builder<T> api) {
        return api.operation(
                        "set_attributes",
                        List.of(
                                Parameter.of("range", Kind.RANGE, "bytes", "guest physical addresses"),
                                Parameter.of("kind", Kind.WORD, "", "private or shared")
                                        .among("private", "shared")),
                        "KVM_SET_MEMORY_ATTRIBUTES: makes a range private or shared. Nothing is copied; mappings of the "
                                + "old kind go. Errors: EINVAL.",
                        "td.set_attributes 0 .. 2M shared",
                        (vm, a) -> vm.setAttributes(a.range("range"), a.string("kind")))
                .operation(
                        "set_memory_attributes",
                        List.of(
                                keyword("address", Kind.U64, "bytes", "first gpa"),
                                keyword("size", Kind.U64, "bytes", "size"),
                                keyword("attributes", Kind.U64, "", "8 is PRIVATE"),
                                keyword("flags", Kind.U64, "", "must be 0")),
                        "KVM_SET_MEMORY_ATTRIBUTES with the struct's fields as given; fields left out are 0.",
                        "td.set_memory_attributes address 0 size 4K attributes 8",
                        (vm, a) -> vm.vm.setMemoryAttributes(
                                        a.u64("address", 0),
                                        a.u64("size", 0),
                                        a.u64("attributes", 0),
                                        a.u64("flags", 0))
                                .outcome())
                .operation(
                        "read",
                        List.of(Parameter.of("range", Kind.RANGE, "bytes", "guest physical addresses, at most 16M")),
                        "Guest memory as it is: user memory through the slot, private pages from guest_memfd. Memory "
                                + "never touched reads as zeros and stays untouched.",
                        "show plain.read 0x1000 .. 0x1010",
                        (vm, a) -> GuestMemory.read(vm.vm, a.range("range")))
                .operation(
                        "write",
                        List.of(
                                Parameter.of("gpa", Kind.U64, "bytes", "guest physical address"),
                                Parameter.of("bytes", Kind.BYTES, "", "what to write")),
                        "The VMM writes guest memory through its own mapping, which faults host pages in.",
                        "plain.write 0x1000 hex\"5a\"",
                        (vm, a) -> GuestMemory.write(vm.vm, a.u64("gpa"), a.bytes("bytes")))
                .operation(
                        "hva",
                        List.of(Parameter.of("gpa", Kind.U64, "bytes", "guest physical address")),
                        "The VMM's address for a gpa (gfn_to_hva); fails with EFAULT where there is no slot.",
                        "plain.host.munmap plain.hva(1M) .. plain.hva(2M)",
                        (vm, a) -> vm.hva(a.u64("gpa")));
    }

    private static <T extends VmHandle> Api.Builder<T> declareGmem(Api.Builder<T> api) {
        return api.operation(
                        "create_gmem",
                        List.of(
                                Parameter.of("size", Kind.U64, "bytes", "size of the file"),
                                keyword("flags", Kind.U64, "", "from 6.18: 1 MMAP, 2 INIT_SHARED")),
                        "KVM_CREATE_GUEST_MEMFD; the descriptor is detail `value`. Errors: EINVAL.",
                        "td.create_gmem 2M",
                        (vm, a) -> vm.vm.createGuestMemfd(a.u64("size"), a.u64("flags", 0))
                                .outcome())
                .operation(
                        "punch_hole",
                        List.of(Parameter.of("range", Kind.RANGE, "bytes", "guest physical addresses in one slot")),
                        "fallocate(KEEP_SIZE | PUNCH_HOLE) on the slot's guest_memfd, at the offsets of these gpas: "
                                + "mappings go, then the pages. Errors: EINVAL; ENOENT if no guest_memfd slot is there.",
                        "td.punch_hole 0 .. 4K",
                        (vm, a) -> vm.punchHole(a.range("range")))
                .operation(
                        "enable_cap",
                        List.of(
                                Parameter.of("cap", Kind.U64, "", "KVM_CAP_* number"),
                                Parameter.of("arg", Kind.U64, "", "args[0]").orAbsent(),
                                keyword("flags", Kind.U64, "", "must be 0")),
                        "KVM_ENABLE_CAP on the VM. Errors: EINVAL, EEXIST, E2BIG, EPERM.",
                        "plain.enable_cap 213 0x80",
                        (vm, a) -> vm.vm.enableCap((int) a.u64("cap"), a.u64("arg", 0), a.u64("flags", 0))
                                .outcome())
                .operation(
                        "register_coalesced_mmio",
                        zone(),
                        "KVM_REGISTER_COALESCED_MMIO: writes there go into a ring of 170 entries, of which one stays "
                                + "free, and end KVM_RUN only when it is full. Errors: EINVAL.",
                        "plain.register_coalesced_mmio 4G size 4K",
                        (vm, a) -> vm.vm.coalesce(a.u64("addr"), a.u64("size", 0), a.u64("pio", 0), true)
                                .outcome())
                .operation(
                        "unregister_coalesced_mmio",
                        zone(),
                        "KVM_UNREGISTER_COALESCED_MMIO: of every zone that contains the range. Errors: EINVAL.",
                        "plain.unregister_coalesced_mmio 4G size 4K",
                        (vm, a) -> vm.vm.coalesce(a.u64("addr"), a.u64("size", 0), a.u64("pio", 0), false)
                                .outcome())
                .operation(
                        "drain_coalesced_mmio",
                        List.of(),
                        "User space takes what is in the ring: a list of records with `addr`, `len`, `pio`, `data`.",
                        "show plain.drain_coalesced_mmio",
                        (vm, _) -> vm.vm.coalescedMmio().drain())
                .operation(
                        "set_msr_filter",
                        List.of(
                                keyword("flags", Kind.U64, "", "1 DEFAULT_DENY: what no range names is denied"),
                                Parameter.of(
                                                "ranges",
                                                Kind.LIST,
                                                "",
                                                "at most 16 records: flags (1 READ, 2 WRITE), base, nmsrs, bitmap (one "
                                                        + "bit an MSR, 1 allows)")
                                        .asKeyword()
                                        .orAbsent()),
                        "KVM_X86_SET_MSR_FILTER: what the guest's RDMSR and WRMSR may touch; x2APIC registers are never "
                                + "filtered. A denied access is #GP, or an exit with reason 4 after "
                                + "KVM_CAP_X86_USER_SPACE_MSR. Errors: EINVAL, EFAULT if a bitmap is too short.",
                        "plain.set_msr_filter ranges [{ flags: 1, base: 0x174, nmsrs: 2, bitmap: hex\"01\" }]",
                        VmHandle::setMsrFilter)
                .operation(
                        "write_track",
                        List.of(Parameter.of("gpa", Kind.U64, "bytes", "any address in the page")),
                        "kvm_write_track_add_gfn: the guest's writes to the page are seen first, so it is never mapped "
                                + "writable nor large. Errors: EINVAL without a slot.",
                        "plain.write_track 0x1000",
                        (vm, a) -> vm.track(a.u64("gpa"), true))
                .operation(
                        "write_untrack",
                        List.of(Parameter.of("gpa", Kind.U64, "bytes", "any address in the page")),
                        "kvm_write_track_remove_gfn. Errors: EINVAL without a slot, or if the page is not tracked.",
                        "plain.write_untrack 0x1000",
                        (vm, a) -> vm.track(a.u64("gpa"), false))
                .operation(
                        "nx_recover",
                        List.of(keyword("ratio", Kind.U64, "", "nx_huge_pages_recovery_ratio; 60 if nothing is said")),
                        "One period of the NX huge page recovery worker: 1/ratio of the tables that a fetch split are "
                                + "zapped. Detail `value`: how many.",
                        "plain.nx_recover ratio 1",
                        (vm, a) -> new Outcome.Ok(Map.of(
                                "value", (long) vm.mmu().nxHugePages().recover((int) a.u64("ratio", 60)))))
                .operation(
                        "check_extension",
                        List.of(Parameter.of("cap", Kind.U64, "", "KVM_CAP_* number")),
                        "KVM_CHECK_EXTENSION on the VM.",
                        "assert plain.check_extension(236) == 1",
                        (vm, a) -> vm.vm.checkExtension((int) a.u64("cap")))
                .operation(
                        "create_vcpu",
                        List.of(Parameter.of("id", Kind.U64, "", "vCPU id")),
                        "KVM_CREATE_VCPU. Errors: EINVAL, EEXIST.",
                        "plain.create_vcpu 7",
                        (vm, a) -> vm.vm.createVcpu(a.u64("id"), kvasir.metal.cpu.CpuidModel.standard())
                                .outcome());
    }

    private static <T extends VmHandle> Api.Builder<T> declareDirtyLog(Api.Builder<T> api) {
        return api.operation(
                        "get_dirty_log",
                        List.of(Parameter.of("slot", Kind.U64, "", "id in bits 15:0, address space in bits 31:16")),
                        "KVM_GET_DIRTY_LOG; detail `bitmap` has one bit a page. Errors: ENXIO, EINVAL, ENOENT.",
                        "plain.get_dirty_log 0",
                        (vm, a) -> vm.vm.getDirtyLog((int) a.u64("slot")).outcome())
                .operation(
                        "clear_dirty_log",
                        List.of(
                                Parameter.of("slot", Kind.U64, "", "id in bits 15:0, address space in bits 31:16"),
                                keyword("first_page", Kind.U64, "pages", "a multiple of 64"),
                                keyword("num_pages", Kind.U64, "pages", "a multiple of 64, or up to the slot's end"),
                                Parameter.of("bitmap", Kind.BYTES, "", "bits to clear")
                                        .asKeyword()),
                        "KVM_CLEAR_DIRTY_LOG. Errors: ENXIO, EINVAL, ENOENT, EFAULT.",
                        "plain.clear_dirty_log 0 first_page 0 num_pages 64 bitmap hex\"ffffffffffffffff\"",
                        (vm, a) -> vm.vm.clearDirtyLog(
                                        (int) a.u64("slot"),
                                        a.u64("first_page", 0),
                                        (int) a.u64("num_pages", 0),
                                        a.bytes("bitmap"))
                                .outcome())
                .operation(
                        "reset_dirty_rings",
                        List.of(),
                        "KVM_RESET_DIRTY_RINGS; detail `value` is the number of entries. Errors: EINVAL.",
                        "plain.reset_dirty_rings",
                        (vm, _) -> vm.vm.resetDirtyRings().outcome());
    }

    private static <T extends VmHandle> Api.Builder<T> declareViews(Api.Builder<T> api, String vcpuType) {
        return api.property(
                        "vcpus",
                        "list of " + vcpuType,
                        "vCPUs in order of creation; also vcpu0, vcpu1 ...",
                        "plain.vcpu0",
                        vm -> vm.vm.vcpus().stream().map(vm::vcpuHandle).toList())
                .property(
                        "type",
                        "string",
                        "KVM's VM type.",
                        "show plain.type",
                        vm -> vm.vm.type().name())
                .property(
                        "ept",
                        "table",
                        "The EPT that vCPUs walk, as the processor reads it.",
                        "show plain.ept",
                        vm -> vm.mmu().table(0))
                .property(
                        "npt",
                        "table",
                        "The NPT that vCPUs walk, as the processor reads it.",
                        "show plain.npt",
                        vm -> vm.mmu().table(0))
                .property(
                        "smm_ept",
                        "table",
                        "The tables of vCPUs in SMM.",
                        "show plain.smm_ept",
                        vm -> vm.mmu().table(1))
                .property(
                        "mirror",
                        "table",
                        "KVM's copy of a TD's S-EPT; without a root in other VMs.",
                        "show td.mirror",
                        vm -> vm.mmu().mirror())
                .property(
                        "host",
                        "process",
                        "The VMM's address space: host page tables.",
                        "show plain.host",
                        vm -> new MmHandle(vm.vm.mm(), vm.label()))
                .property("slots", "slots", "Memory slots; slots[id] is one.", "show plain.slots", SlotsView::new)
                .property(
                        "attributes",
                        "attributes",
                        "Private or shared, by gpa; attributes[gpa] is PRIVATE or SHARED, of a range also MIXED.",
                        "assert td.attributes[0] is PRIVATE",
                        AttributesView::new)
                .property(
                        "gmems",
                        "list of gmem",
                        "guest_memfd files in order of creation; also gmem0, gmem1 ...",
                        "td.gmem0",
                        vm -> vm.vm.gmems().stream()
                                .map(file -> new GmemHandle(vm.vm, file))
                                .toList())
                .property(
                        "stats",
                        "stats",
                        "Page and fault counters.",
                        "assert plain.stats.pages_2m == 2",
                        vm -> new StatsHandle(vm.label(), vm.mmu()))
                .property(
                        "tlb_flushes",
                        "u64",
                        "How often KVM asked all vCPUs to flush their TLBs.",
                        "assert plain.tlb_flushes == 0",
                        vm -> vm.vm.remoteTlbFlushes())
                .property("locks", "locks", "The kernel's locks of this VM.", "show plain.locks", LocksView::new)
                .property(
                        "page_track",
                        "bool",
                        "Whether somebody outside KVM, such as GVT-g, tracks writes (kvm_page_track_register_notifier).",
                        "plain.page_track = true",
                        vm -> vm.mmu().writeTracking().external(),
                        (vm, value) -> {
                            vm.mmu().writeTracking().setExternal((Boolean) value);
                            return value;
                        })
                .property(
                        "dead",
                        "bool",
                        "KVM_BUG_ON has fired: every ioctl answers EIO.",
                        "assert not plain.dead",
                        vm -> vm.vm.dead())
                .property(
                        "invalidate_seq",
                        "u64",
                        "mmu_invalidate_seq: goes up at the end of every invalidation.",
                        "show plain.invalidate_seq",
                        vm -> vm.vm.invalidate().seq())
                .property(
                        "generation",
                        "u64",
                        "Generation of the published slots of address space 0.",
                        "show plain.generation",
                        vm -> vm.vm.memslots(0).generation());
    }

    /** A field of a struct: left out, it is 0. */
    static Parameter keyword(String name, Kind kind, String unit, String doc) {
        return Parameter.of(name, kind, unit, doc).asKeyword().orAbsent();
    }

    Outcome setSlot(Arguments a) {
        var region = new MemoryRegion(
                (int) a.u64("slot"),
                (int) a.u64("flags", 0),
                a.u64("gpa", 0),
                a.u64("size", 0),
                a.u64("hva", 0),
                a.u64("offset", 0),
                (int) a.u64("gmem", 0));
        return (a.flag("v1") ? vm.setUserMemoryRegion(region) : vm.setUserMemoryRegion2(region)).outcome();
    }

    private static List<Parameter> zone() {
        return List.of(
                Parameter.of("addr", Kind.U64, "bytes", "gpa, or port"),
                keyword("size", Kind.U64, "bytes", "how many from there"),
                keyword("pio", Kind.U64, "", "1 for ports"));
    }

    private Outcome setMsrFilter(Arguments a) {
        var ranges = new ArrayList<MsrFilter.MsrRange>();
        for (Object each : a.optional("ranges", List.class).orElse(List.of())) {
            if (!(each instanceof Map<?, ?> range)
                    || !(range.get("flags") instanceof Long flags)
                    || !(range.get("base") instanceof Long base)
                    || !(range.get("nmsrs") instanceof Long count)
                    || !(range.get("bitmap") instanceof Bytes bitmap)) {
                return new Outcome.Failed(
                        "EINVAL", "a range is { flags: 1, base: 0x174, nmsrs: 2, bitmap: hex\"01\" }", Map.of());
            }
            ranges.add(new MsrFilter.MsrRange(flags, count, base, bitmap));
        }
        return vm.setMsrFilter(a.u64("flags", 0), ranges).outcome();
    }

    /** The ioctl with one field changed; -1 keeps a field. */
    Outcome changeSlot(int field, long gpa, long flags) {
        int space = field >>> 16;
        Memslot slot = space < vm.type().addressSpaces() ? vm.memslots(space).byId(field & 0xffff) : Memslot.NONE;
        if (!slot.exists()) {
            return new Outcome.Failed("EINVAL", "slot " + (field & 0xffff) + " does not exist", Map.of());
        }
        int userFlags = slot.flags() & (Memslot.LOG_DIRTY_PAGES | Memslot.READONLY | Memslot.GUEST_MEMFD);
        return vm.setUserMemoryRegion2(new MemoryRegion(
                        field,
                        flags == -1 ? userFlags : (int) flags,
                        gpa == -1 ? slot.baseGfn() << 12 : gpa,
                        slot.npages() << 12,
                        slot.userspaceAddr(),
                        slot.gmemPgoff() << 12,
                        slot.gmem().map(GuestMemfd::fd).orElse(0)))
                .outcome();
    }

    Outcome setAttributes(Range range, String kind) {
        long value = kind.equals("private") ? MemoryAttributes.PRIVATE : 0;
        return vm.setMemoryAttributes(range.start(), range.size(), value, 0).outcome();
    }

    Outcome track(long gpa, boolean add) {
        Memslot slot = vm.memslots(0).lookup(gpa >>> 12);
        if (!slot.exists() || !add && !mmu().writeTracking().tracks(gpa >>> 12)) {
            return new Outcome.Failed(
                    "EINVAL", "kvm_write_track: no slot has this gpa, or it is not tracked", Map.of());
        }
        if (add) {
            mmu().writeTracking().add(slot, gpa >>> 12);
        } else {
            mmu().writeTracking().remove(slot, gpa >>> 12);
        }
        return Outcome.ok();
    }

    Object hva(long gpa) {
        Memslot slot = vm.memslots(0).lookup(gpa >>> 12);
        if (!slot.exists() || slot.invalid()) {
            return new Outcome.Failed("EFAULT", "gfn_to_hva: no slot contains this gpa", Map.of());
        }
        return slot.hva(gpa >>> 12) + (gpa & 4095);
    }

    Outcome punchHole(Range range) {
        Memslot slot = vm.memslots(0).lookup(range.start() >>> 12);
        Optional<GuestMemfd> file = slot.exists() ? slot.gmem() : Optional.empty();
        if (file.isEmpty()) {
            return new Outcome.Failed("ENOENT", "no slot with a guest_memfd contains the first gpa", Map.of());
        }
        long offset = (slot.gmemIndex(range.start() >>> 12) << 12) + (range.start() & 4095);
        return file.get()
                .fallocate(GuestMemfd.FALLOC_KEEP_SIZE | GuestMemfd.FALLOC_PUNCH_HOLE, offset, range.size())
                .outcome();
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return vm.name();
    }

    @Override
    public Topic topic() {
        return Topic.of(vm.name(), 0, 1);
    }

    @Override
    public Optional<String> picture() {
        var lines = new LinkedHashMap<String, String>();
        lines.put("type", vm.type().name());
        lines.put("vcpus", Integer.toString(vm.vcpus().size()));
        lines.put("slots", Integer.toString(vm.allSlots().size()));
        lines.put("state", vm.dead() ? "dead" : "alive");
        return Optional.of(Text.table(lines));
    }

    /** Bytes or a refusal, as the registry wants them. */
    static Object valueOr(Optional<Bytes> bytes, Errno errno, String reason) {
        return bytes.<Object>map(b -> b)
                .orElseGet(() -> IoctlResult.err(errno, reason).outcome());
    }
}
