package kvasir.vmm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import kvasir.kvm.Cap;
import kvasir.kvm.HostConfig;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.MemoryAttributes;
import kvasir.kvm.MemoryRegion;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vm;
import kvasir.kvm.VmType;
import kvasir.kvm.irqchip.IrqChip;
import kvasir.kvm.mm.Mm;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.snp.SnpProcessor;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Arguments;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
import kvasir.vmm.device.VirtioBlock;
import kvasir.vmm.device.VirtioDevice;
import kvasir.vmm.device.VirtioMmio;
import kvasir.vmm.device.VirtioNet;
import kvasir.vmm.device.VirtioRng;
import kvasir.vmm.device.VirtioVsock;

/**
 * The lines of {@code vm NAME = type { ... }}: what a VMM would do, in a VMM's order: create the VM, enable
 * capabilities, set memory, create vCPUs.
 */
public class VmBuilder implements Described {
    static final Api<VmBuilder> API = declare(
                    Api.of("vm declaration", VmBuilder.class, "What stands in the braces of `vm NAME = type { ... }`."))
            .build();

    final Machine machine;
    private final String name;
    private final VmType type;
    private final List<MemoryLine> memory = new ArrayList<>();
    private long quirksOff;
    private final List<CapLine> caps = new ArrayList<>();
    private long vcpus = 1;
    private boolean setsCpuid = true;
    private boolean irqchip;
    private boolean pit;
    private boolean split;
    private boolean devices;
    private final List<Function<Pc, VirtioDevice>> virtio = new ArrayList<>();
    private boolean console;
    private boolean together;
    private CpuidModel model = CpuidModel.standard();
    private HostConfig host;
    private Optional<Outcome> problem = Optional.empty();
    private boolean hostGiven;

    /** One {@code memory} line. */
    private record MemoryLine(
            Range range,
            Backing backing,
            boolean isPrivate,
            boolean gmem,
            boolean populate,
            boolean unbacked,
            boolean smm,
            int flags,
            Optional<Long> hva,
            Optional<Long> slot) {}

    private record CapLine(int cap, long arg) {}

    /** @param name how scripts call the VM */
    protected VmBuilder(Machine machine, String name, VmType type) {
        this.machine = machine;
        this.name = name;
        this.type = type;
        host = machine.host();
    }

    /** Adds the lines that every kind of VM understands. */
    protected static <T extends VmBuilder> Api.Builder<T> declare(Api.Builder<T> api) {
        return declareHost(declarePlatform(declareOptions(declareMemory(api))));
    }

    private static <T extends VmBuilder> Api.Builder<T> declareMemory(Api.Builder<T> api) {
        return api.operation(
                        "vcpus",
                        List.of(Parameter.of("count", Kind.U64, "", "0 to 1024")),
                        "How many vCPUs KVM_CREATE_VCPU makes, ids from 0. One if nothing is said.",
                        "vcpus 2",
                        (b, a) -> b.note(b.setVcpus(a.u64("count"))))
                .operation(
                        "memory",
                        List.of(
                                Parameter.of("range", Kind.RANGE, "bytes", "guest physical addresses"),
                                Parameter.of(
                                                "backing",
                                                Kind.WORD,
                                                "",
                                                "what the VMM maps; memfd if nothing is said. memfd: shared, huge where "
                                                        + "it fits. memfd_4k: shared, 4K. thp, anon: private anonymous, "
                                                        + "with and without huge pages. hugetlb2m, hugetlb1g. file: a "
                                                        + "private file mapping")
                                        .among(Backing.words())
                                        .asKeyword()
                                        .orAbsent(),
                                flag("private", "a guest_memfd slot whose attributes are set private"),
                                flag("gmem", "a guest_memfd slot whose attributes stay shared"),
                                flag("populate", "MAP_POPULATE: host page tables are filled"),
                                flag("unbacked", "userspace_addr is an address where nothing is mapped"),
                                flag("readonly", "KVM_MEM_READONLY"),
                                flag("log_dirty", "KVM_MEM_LOG_DIRTY_PAGES"),
                                flag("smm", "in address space 1, which vCPUs in SMM see"),
                                Parameter.of("at", Kind.U64, "bytes", "hva; else one congruent to the gpa modulo 1 GiB")
                                        .asKeyword()
                                        .orAbsent(),
                                Parameter.of("slot", Kind.U64, "", "slot id; else the lowest free one")
                                        .asKeyword()
                                        .orAbsent()),
                        "One memory slot: mmap, then KVM_SET_USER_MEMORY_REGION2.",
                        "memory 0 .. 64M backing thp populate",
                        (b, a) -> b.addMemory(a));
    }

    private static <T extends VmBuilder> Api.Builder<T> declareOptions(Api.Builder<T> api) {
        return api.operation(
                        "no_cpuid",
                        List.of(),
                        "vCPUs are not given KVM_SET_CPUID2: the guest's MAXPHYADDR counts as 36.",
                        "no_cpuid",
                        (b, a) -> b.note(b.withoutCpuid()))
                .operation(
                        "model",
                        List.of(Parameter.of(
                                "name", Kind.STRING, "", "SapphireRapids or EPYC-Milan, with ,+FEATURE or ,-FEATURE")),
                        "Which processor CPUID describes. Features that no model has by itself: lam, rdpru, mwaitx.",
                        "model \"EPYC-Milan\"",
                        (b, a) -> b.setModel(a.string("name")))
                .operation(
                        "disable_quirks",
                        List.of(Parameter.of("mask", Kind.U64, "", "bit 7 SLOT_ZAP_ALL, bit 9 IGNORE_GUEST_PAT")),
                        "KVM_CAP_DISABLE_QUIRKS2, of those quirks that KVM_CHECK_EXTENSION says there are.",
                        "disable_quirks 0x80",
                        (b, a) -> b.note(b.disableQuirks(a.u64("mask"))))
                .operation(
                        "enable_cap",
                        List.of(
                                Parameter.of("cap", Kind.U64, "", "KVM_CAP_* number"),
                                Parameter.of("arg", Kind.U64, "", "args[0]")),
                        "KVM_ENABLE_CAP before vCPUs exist, as some capabilities need it.",
                        "enable_cap 193 2",
                        (b, a) -> b.note(b.addCap((int) a.u64("cap"), a.u64("arg"))))
                .operation(
                        "exit_hypercall",
                        List.of(),
                        "KVM_CAP_EXIT_HYPERCALL for KVM_HC_MAP_GPA_RANGE.",
                        "exit_hypercall",
                        (b, a) -> b.note(b.addCap(Cap.EXIT_HYPERCALL, 1 << 12)))
                .operation(
                        "manual_dirty_log",
                        List.of(flag("initially_set", "bitmaps start with all bits set")),
                        "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2.",
                        "manual_dirty_log",
                        (b, a) -> b.note(b.addCap(Cap.MANUAL_DIRTY_LOG_PROTECT2, a.flag("initially_set") ? 3 : 1)))
                .operation(
                        "dirty_ring",
                        List.of(Parameter.of("bytes", Kind.U64, "bytes", "a power of two, 4096 to 1M")),
                        "KVM_CAP_DIRTY_LOG_RING.",
                        "dirty_ring 64K",
                        (b, a) -> b.note(b.addCap(Cap.DIRTY_LOG_RING, a.u64("bytes"))));
    }

    private static <T extends VmBuilder> Api.Builder<T> declarePlatform(Api.Builder<T> api) {
        return api.operation(
                        "irqchip",
                        List.of(
                                flag("no_pit", "without KVM_CREATE_PIT2"),
                                flag("split", "KVM_CAP_SPLIT_IRQCHIP of 24 pins: local APICs only, and no PIT")),
                        "KVM_CREATE_IRQCHIP: local APICs, I/O APIC and 8259 pair in the kernel; then KVM_CREATE_PIT2. "
                                + "HLT then sleeps in the kernel, and vCPUs but the first wait for INIT and SIPI.",
                        "irqchip",
                        (b, a) -> b.note(b.setIrqchip(!a.flag("no_pit"), a.flag("split"))))
                .operation(
                        "smp",
                        List.of(Parameter.of("how", Kind.WORD, "", "turns: deterministic; threads: at the same time")
                                .among("turns", "threads")),
                        "How `run` executes several vCPUs. turns: one thread of the host runs them in turn, the same "
                                + "way every time; so it is if nothing is said. threads: each has a thread of its own, "
                                + "locked instructions are atomic and memory has x86's order; what happens then is not "
                                + "the same every time.",
                        "smp threads",
                        (b, a) -> b.note(b.setTogether(a.string("how").equals("threads"))))
                .operation(
                        "devices",
                        List.of(),
                        "The VMM has the devices of a small PC: COM1, debug exit (F4h), debug console (E9h), RTC, "
                                + "ACPI PM timer, fw_cfg, reset control, QEMU's pc-testdev.",
                        "devices",
                        (b, _) -> b.note(b.setDevices()))
                .operation(
                        "virtio",
                        List.of(
                                Parameter.of("kind", Kind.WORD, "", "the device")
                                        .among("blk", "net", "rng", "console", "vsock"),
                                Parameter.of("image", Kind.BYTES, "", "what the disk of `blk` holds")
                                        .asKeyword()
                                        .orAbsent(),
                                Parameter.of("seed", Kind.U64, "", "of the bytes of `rng`; 1 if left out")
                                        .asKeyword()
                                        .orAbsent(),
                                Parameter.of("cid", Kind.U64, "", "of the guest, for `vsock`; 3 if left out")
                                        .asKeyword()
                                        .orAbsent()),
                        "A virtio device over MMIO, told to the guest in the DSDT, with the GSIs from 16 on; at most 8. "
                                + "The peer of `net` is 10.0.2.2, which answers ARP, ICMP echo and UDP to port 7. "
                                + "Behind `vsock` the host, CID 2, listens on the echo port 7. There is at most one "
                                + "`console`. Implies `devices`.",
                        "virtio blk image zeros(1M)",
                        VmBuilder::addVirtio);
    }

    private static <T extends VmBuilder> Api.Builder<T> declareHost(Api.Builder<T> api) {
        return api.operation(
                        "host",
                        List.of(
                                Parameter.of("kind", Kind.WORD, "", "ept: Intel; npt: AMD")
                                        .among("ept", "npt")
                                        .orAbsent(),
                                flag("no_ad", "EPT without accessed and dirty flags"),
                                flag("no_pml", "EPT without page-modification logging (kvm_intel.pml=0)"),
                                flag("no_five_levels", "stage 2 cannot walk five levels"),
                                flag("no_1g", "stage 2 cannot map 1 GiB"),
                                flag("nx_huge_pages", "the iTLB-multihit mitigation is on"),
                                flag("no_tdp", "stage-2 paging is off: KVM shadows"),
                                flag("no_thp", "no transparent huge pages"),
                                flag("no_eager_split", "kvm.eager_page_split=0"),
                                Parameter.of(
                                                "c_bit",
                                                Kind.U64,
                                                "",
                                                "NPT: memory encryption is enabled in SYSCFG, with the C-bit at 47 or 51")
                                        .asKeyword()
                                        .orAbsent(),
                                flag(
                                        "sme",
                                        "NPT: the kernel encrypts its memory (mem_encrypt=on), so that every entry has "
                                                + "the C-bit, 51 if `c_bit` does not say else"),
                                flag("l1tf", "EPT: the processor is affected by the L1 terminal fault")),
                        "The physical host. All VMs of a script share it: declare it with the first. Errors: EINVAL.",
                        "host npt",
                        (b, a) -> b.setHost(a))
                .operation(
                        "maxphyaddr",
                        List.of(Parameter.of("bits", Kind.U64, "bits", "36 to 52")),
                        "MAXPHYADDR of the host, and of the guest through CPUID.",
                        "maxphyaddr 52",
                        (b, a) -> b.setMaxPhyAddr(a.u64("bits")));
    }

    /** A keyword that stands alone. */
    protected static Parameter flag(String name, String doc) {
        return Parameter.of(name, Kind.BOOL, "", doc).asKeyword().orAbsent();
    }

    Outcome note(Optional<Outcome> refusal) {
        return refusal.orElseGet(Outcome::ok);
    }

    private static Optional<Outcome> refuse(String reason) {
        return Optional.of(new Outcome.Failed("EINVAL", reason, Map.of()));
    }

    Optional<Outcome> setVcpus(long count) {
        if (Long.compareUnsigned(count, 1024) > 0) {
            return refuse("KVM_CAP_MAX_VCPUS is 1024");
        }
        vcpus = count;
        return Optional.empty();
    }

    Optional<Outcome> withoutCpuid() {
        setsCpuid = false;
        return Optional.empty();
    }

    Optional<Outcome> setIrqchip(boolean withPit, boolean localOnly) {
        if (type == VmType.TDX) {
            return localOnly
                    ? Optional.empty()
                    : refuse(
                            "kvm_arch_vm_ioctl, KVM_CREATE_IRQCHIP: a TD's EOIs are protected; it has a split irqchip");
        }
        if (type != VmType.DEFAULT && type != VmType.SW_PROTECTED && type != VmType.SNP) {
            return Optional.of(new Outcome.Failed(
                    "unsupported", "unsupported: an in-kernel irqchip for a VM of type " + type, Map.of()));
        }
        irqchip = true;
        pit = withPit && !localOnly;
        split = localOnly;
        return Optional.empty();
    }

    Outcome addVirtio(Arguments a) {
        if (virtio.size() == VirtioMmio.MOST) {
            return note(refuse("there are " + VirtioMmio.MOST + " windows for virtio devices"));
        }
        if (a.string("kind").equals("console")) {
            if (console) {
                return note(refuse("there is one virtio console already"));
            }
            console = true;
        }
        long cid = a.u64("cid", 3);
        if (Long.compareUnsigned(cid, 3) < 0 || cid > 0xffff_fffeL || cid < 0) {
            return note(refuse("a guest's cid is from 3 to 0xfffffffe"));
        }
        byte[] image = a.optional("image", Bytes.class).orElse(Bytes.of()).toArray();
        long seed = a.u64("seed", 1);
        virtio.add(pc -> switch (a.string("kind")) {
            case "blk" -> new VirtioBlock(image);
            case "net" -> new VirtioNet();
            case "rng" -> new VirtioRng(seed);
            case "vsock" -> new VirtioVsock(cid);
            default -> pc.virtioConsole();
        });
        return note(setDevices());
    }

    Optional<Outcome> setDevices() {
        devices = true;
        return Optional.empty();
    }

    Optional<Outcome> setTogether(boolean wanted) {
        if (wanted && type != VmType.DEFAULT && type != VmType.SW_PROTECTED) {
            return Optional.of(new Outcome.Failed(
                    "unsupported", "unsupported: vCPUs on threads in a VM of type " + type, Map.of()));
        }
        together = wanted;
        return Optional.empty();
    }

    void setModel(CpuidModel wanted) {
        model = wanted;
    }

    void addMemory(Range range) {
        memory.add(new MemoryLine(
                range, Backing.MEMFD, false, false, false, false, false, 0, Optional.empty(), Optional.empty()));
    }

    Optional<Outcome> disableQuirks(long mask) {
        quirksOff |= mask;
        return Optional.empty();
    }

    Optional<Outcome> addCap(int cap, long arg) {
        caps.add(new CapLine(cap, arg));
        return Optional.empty();
    }

    Outcome setModel(String wanted) {
        Optional<CpuidModel> found = CpuidModel.named(wanted);
        found.ifPresent(m -> model = m);
        return found.isPresent()
                ? Outcome.ok()
                : note(refuse("there is no processor model '" + wanted
                        + "'; SapphireRapids and EPYC-Milan, with +FEATURE or -FEATURE " + "of what is emulated"));
    }

    Outcome setHost(Arguments a) {
        boolean npt = a.optional("kind", String.class).orElse("ept").equals("npt");
        long cBit = a.u64("c_bit", a.flag("sme") ? SnpProcessor.ENCRYPTION_BIT : 0);
        if (!npt && cBit != 0 || npt && a.flag("l1tf")) {
            return note(refuse("c_bit and sme are of an AMD host, l1tf of an Intel one"));
        }
        if (cBit != 0 && cBit != 47 && cBit != SnpProcessor.ENCRYPTION_BIT) {
            return note(refuse("CPUID 0x8000001f says 47 or 51 for the C-bit"));
        }
        host = new HostConfig(
                host.memoryBytes(),
                host.maxPhyAddr(),
                npt,
                !a.flag("no_ad"),
                !a.flag("no_pml") && !a.flag("no_ad") && !npt,
                !a.flag("no_five_levels"),
                !a.flag("no_1g"),
                a.flag("nx_huge_pages"),
                !a.flag("no_tdp"),
                true,
                !a.flag("no_eager_split"),
                !a.flag("no_thp"),
                (int) cBit,
                a.flag("sme"),
                a.flag("l1tf"));
        hostGiven = true;
        return Outcome.ok();
    }

    /** The kind of VM needs this host. */
    protected final void requireHost(HostConfig wanted) {
        host = wanted;
        hostGiven = true;
    }

    Outcome setMaxPhyAddr(long bits) {
        if (bits < 36 || bits > 52) {
            return note(refuse("MAXPHYADDR is 36 to 52"));
        }
        host = new HostConfig(
                Math.min(host.memoryBytes(), 1L << bits),
                (int) bits,
                host.npt(),
                host.adBits(),
                host.pml(),
                host.fiveLevels(),
                host.onegigPages(),
                host.nxHugePages(),
                host.tdp(),
                host.tdpMmu(),
                host.eagerPageSplit(),
                host.thp(),
                host.cBit(),
                host.sme(),
                host.l1tf());
        hostGiven = true;
        return Outcome.ok();
    }

    Outcome addMemory(Arguments a) {
        int flags = (a.flag("readonly") ? Memslot.READONLY : 0) | (a.flag("log_dirty") ? Memslot.LOG_DIRTY_PAGES : 0);
        memory.add(new MemoryLine(
                a.range("range"),
                Backing.of(a.optional("backing", String.class).orElse(Backing.MEMFD.word())),
                a.flag("private"),
                a.flag("gmem"),
                a.flag("populate"),
                a.flag("unbacked"),
                a.flag("smm"),
                flags,
                a.optional("at", Long.class),
                a.optional("slot", Long.class)));
        return Outcome.ok();
    }

    /** Makes the VM: a {@link VmHandle}, or an {@link Outcome.Failed}. */
    Object build() {
        if (hostGiven) {
            problem = machine.setHost(host);
        }
        var vm = new Vm(machine.kvm(), name, type, machine.mm());
        if (quirksOff != 0) {
            keep(vm.enableCap(Cap.DISABLE_QUIRKS2, quirksOff & vm.checkExtension(Cap.DISABLE_QUIRKS2)));
        }
        for (CapLine line : caps) {
            keep(vm.enableCap(line.cap, line.arg));
        }
        if (together) {
            vm.runTogether();
        }
        problem.ifPresentOrElse(_ -> {}, () -> beforeMemory(vm));
        if (irqchip && problem.isEmpty()) {
            keep(
                    split
                            ? vm.enableCap(Cap.SPLIT_IRQCHIP, IrqChip.GSIS)
                            : vm.platform().createIrqchip());
        }
        if (pit && problem.isEmpty()) {
            keep(vm.platform().createPit(true));
        }
        for (MemoryLine line : memory) {
            if (problem.isEmpty()) {
                addSlot(vm, line);
            }
        }
        CpuidModel seen = model.withPhysicalBits(machine.host().maxPhyAddr());
        for (long id = 0; id < vcpus && problem.isEmpty(); id++) {
            keep(vm.createVcpu(id, seen));
            if (setsCpuid && problem.isEmpty()) {
                keep(vm.vcpus().getLast().setCpuid2(seen));
            }
        }
        if (problem.isEmpty()) {
            keep(afterVcpus(vm));
        }
        if (problem.isPresent()) {
            return problem.get();
        }
        VmHandle handle = handle(vm);
        if (devices) {
            var pc = new Pc(vm, memoryFromZero());
            virtio.forEach(device -> pc.plug(device.apply(pc)));
            handle.attach(pc);
        }
        return handle;
    }

    /** KVM_CREATE_VCPU is left to later; a line {@code vcpus} after this one says otherwise. */
    protected final void withoutVcpus() {
        vcpus = 0;
    }

    /** Where the memory that begins at gpa 0 ends. */
    private long memoryFromZero() {
        long end = 0;
        for (MemoryLine line : memory) {
            end = line.range.start() <= end && !line.smm ? Math.max(end, line.range.end()) : end;
        }
        return end;
    }

    /** What a vendor does between KVM_CREATE_VM and the first memory slot. */
    protected void beforeMemory(Vm vm) {}

    /** What a vendor does once the vCPUs are created. */
    protected IoctlResult afterVcpus(Vm vm) {
        return IoctlResult.done();
    }

    /** The handle that scripts get. */
    protected VmHandle handle(Vm vm) {
        return new VmHandle(machine, vm);
    }

    /** Remembers a refusal; the declaration ends with the first one. */
    protected final void keep(IoctlResult result) {
        if (problem.isEmpty() && !result.succeeded()) {
            problem = Optional.of(result.outcome());
        }
    }

    private void addSlot(Vm vm, MemoryLine line) {
        Mm mm = vm.mm();
        long size = line.range.size();
        long gpa = line.range.start();
        int space = line.smm ? 1 : 0;
        long id = line.slot.orElseGet(() -> lowestFree(vm, space));
        if (size == 0 || (size & 4095) != 0 || Long.compareUnsigned(size, 1L << 46) > 0) {
            problem = refuse(
                    "memory %#x .. %#x: the size is not a positive multiple of 4 KiB".formatted(gpa, line.range.end()));
            return;
        }
        long hva;
        if (line.unbacked) {
            hva = line.backing.map(mm, line.hva, gpa, size >>> 12);
            mm.munmap(hva, hva + size);
        } else {
            hva = line.backing.map(mm, line.hva, gpa, size >>> 12);
        }
        if (line.populate) {
            mm.populate(hva, hva + size);
        }
        int flags = line.flags;
        int fd = 0;
        if (line.isPrivate || line.gmem) {
            IoctlResult created = vm.createGuestMemfd(size, 0);
            keep(created);
            flags |= Memslot.GUEST_MEMFD;
            fd = created instanceof IoctlResult.Ok ok ? (int) ok.value() : -1;
        }
        if (problem.isEmpty()) {
            keep(vm.setUserMemoryRegion2(
                    new MemoryRegion(space << 16 | (int) id & 0xffff, flags, gpa, size, hva, 0, fd)));
        }
        if (line.isPrivate && problem.isEmpty()) {
            keep(vm.setMemoryAttributes(gpa, size, MemoryAttributes.PRIVATE, 0));
        }
    }

    /** A slot of guest_memfd with its attributes set private, under the lowest free id. */
    static IoctlResult addPrivateSlot(Vm vm, long gpa, long size) {
        if (!(vm.createGuestMemfd(size, 0) instanceof IoctlResult.Ok file)) {
            return IoctlResult.err(kvasir.kvm.Errno.ENOMEM, "KVM_CREATE_GUEST_MEMFD");
        }
        long hva = Backing.MEMFD.map(vm.mm(), Optional.empty(), gpa, size >>> 12);
        var region =
                new MemoryRegion((int) lowestFree(vm, 0), Memslot.GUEST_MEMFD, gpa, size, hva, 0, (int) file.value());
        IoctlResult result = vm.setUserMemoryRegion2(region);
        return result.succeeded() ? vm.setMemoryAttributes(gpa, size, MemoryAttributes.PRIVATE, 0) : result;
    }

    private static long lowestFree(Vm vm, int space) {
        long id = 0;
        while (space < vm.type().addressSpaces()
                && vm.memslots(space).byId((int) id).exists()) {
            id++;
        }
        return id;
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return name;
    }
}
