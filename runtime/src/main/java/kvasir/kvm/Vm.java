package kvasir.kvm;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import kvasir.event.Events;
import kvasir.kvm.gmem.GuestMemfd;
import kvasir.kvm.irqchip.IrqChip;
import kvasir.kvm.mm.Mm;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.cpu.Processors;
import kvasir.registry.Bytes;

/** One virtual machine (struct kvm) and the ioctls of its descriptor. */
public final class Vm {
    /** KVM_X86_QUIRK_SLOT_ZAP_ALL. */
    public static final long QUIRK_SLOT_ZAP_ALL = 1L << 7;

    /** KVM_X86_QUIRK_IGNORE_GUEST_PAT. */
    public static final long QUIRK_IGNORE_GUEST_PAT = 1L << 9;

    private static final int MAX_VCPU_ID = 4096;

    private final Kvm kvm;
    private final String name;
    private final VmType type;
    private final Mm mm;
    private final KernelLock kvmLock;
    private final KernelLock slotsLock;
    private final KernelLock slotsArchLock;
    private final KernelLock mmuLock;
    private final Srcu srcu;
    private final InvalidateState invalidate;
    private final MemoryAttributes attributes;
    private final SlotSets slots;
    private final DirtyLog dirtyLog = new DirtyLog(this);
    private List<Vcpu> vcpus = new ArrayList<>();
    private int vcpusInCreation;
    private List<GuestMemfd> gmems = new ArrayList<>();
    private final Mmu mmu;
    private long quirks = QUIRK_SLOT_ZAP_ALL | QUIRK_IGNORE_GUEST_PAT;
    private final ExitRules exitRules = new ExitRules(this);
    private final CoalescedMmio coalescedMmio = new CoalescedMmio();
    private final Platform platform = new Platform(this);
    private boolean preFaultAllowed;
    private boolean nxHugePagesDisabled;
    private VendorOps vendor = VendorOps.NONE;
    private boolean dead;
    private long remoteTlbFlushes;
    private Optional<Processors> processors = Optional.empty();
    private long now;

    /**
     * KVM_CREATE_VM.
     *
     * @param name how scripts call it; it prefixes lock and topic names
     * @param mm the creating process's address space
     */
    public Vm(Kvm kvm, String name, VmType type, Mm mm) {
        this.kvm = kvm;
        this.name = name;
        this.type = type;
        this.mm = mm;
        kvmLock = lock("kvm.lock");
        slotsLock = lock("slots_lock");
        slotsArchLock = lock("slots_arch_lock");
        mmuLock = lock("mmu_lock");
        srcu = new Srcu(name + ".srcu", kvm.seams());
        attributes = new MemoryAttributes(name, kvm.seams());
        invalidate = new InvalidateState(name, kvm.seams(), () -> bug("mmu_invalidate_in_progress is negative"));
        slots = new SlotSets(this);
        preFaultAllowed = type != VmType.SNP && type != VmType.TDX;
        mmu = kvm.mmus().apply(this);
        mm.descriptors().open(this);
        mm.register(new HvaNotifier(this));
        kvm.add(this);
    }

    private KernelLock lock(String kind) {
        return new KernelLock(name + "." + kind, kvm.seams(), kvm.events());
    }

    public Kvm kvm() {
        return kvm;
    }

    /** How scripts call it. */
    public String name() {
        return name;
    }

    public VmType type() {
        return type;
    }

    /** The VMM process's address space. */
    public Mm mm() {
        return mm;
    }

    public Events events() {
        return kvm.events();
    }

    public Seams seams() {
        return kvm.seams();
    }

    /** kvm-&gt;lock. */
    public KernelLock kvmLock() {
        return kvmLock;
    }

    /** Serialises changes of slots and attributes, dirty-log ioctls and guest_memfd release. */
    public KernelLock slotsLock() {
        return slotsLock;
    }

    /** Guards what architecture code hangs on slots. */
    public KernelLock slotsArchLock() {
        return slotsArchLock;
    }

    /** Guards page tables and {@link #invalidate()}. */
    public KernelLock mmuLock() {
        return mmuLock;
    }

    /** Readers of the slots. */
    public Srcu srcu() {
        return srcu;
    }

    /** The locks that exist for the VM as a whole, in their order. */
    public List<KernelLock> locks() {
        return List.of(kvmLock, slotsLock, slotsArchLock, mmuLock);
    }

    /** The invalidation protocol's state. */
    public InvalidateState invalidate() {
        return invalidate;
    }

    /** kvm_mmu_invalidate_begin. */
    public void invalidateBegin() {
        invalidate.begin();
    }

    /** kvm_mmu_invalidate_range_add. */
    public void invalidateAdd(long start, long end) {
        invalidate.add(start, end);
        if (events().listening()) {
            events().emit(new VmEvent.Invalidation(name, start, end, true, invalidate.seq()));
        }
    }

    /** kvm_mmu_invalidate_end. */
    public void invalidateEnd() {
        invalidate.end();
        if (events().listening()) {
            events().emit(new VmEvent.Invalidation(
                    name, invalidate.windowStart(), invalidate.windowEnd(), false, invalidate.seq()));
        }
    }

    /** Private or shared, by gfn. */
    public MemoryAttributes attributes() {
        return attributes;
    }

    /** The published slots of an address space: 0 normal, 1 SMM. */
    public Memslots memslots(int addressSpace) {
        return slots.active(addressSpace);
    }

    /** The published slots of all address spaces. */
    public List<Memslot> allSlots() {
        return slots.all();
    }

    /** vCPUs in order of creation. */
    public List<Vcpu> vcpus() {
        return List.copyOf(vcpus);
    }

    /** guest_memfd files in order of creation. */
    public List<GuestMemfd> gmems() {
        return List.copyOf(gmems);
    }

    /** A guest_memfd was created for this VM. */
    public void addGmem(GuestMemfd file) {
        gmems.add(file);
    }

    public Mmu mmu() {
        return mmu;
    }

    /** Whether a quirk has not been disabled (kvm_check_has_quirk). */
    public boolean hasQuirk(long quirk) {
        return (quirks & quirk) != 0;
    }

    /** kvm-&gt;arch.pre_fault_allowed: always for unprotected state; after launch for SNP and TDX. */
    public boolean preFaultAllowed() {
        return preFaultAllowed;
    }

    /** What the vendor module answers for this VM type; {@link VendorOps#NONE} unless attached. */
    public VendorOps vendor() {
        return vendor;
    }

    /** Attaches the vendor module, right after creation. */
    public void attach(VendorOps ops) {
        vendor = ops;
    }

    /** KVM_CAP_VM_DISABLE_NX_HUGE_PAGES was enabled. */
    public boolean nxHugePagesDisabled() {
        return nxHugePagesDisabled;
    }

    /** The vendor has finished the launch. */
    public void allowPreFault() {
        preFaultAllowed = true;
    }

    /** vm_bugged or vm_dead: every ioctl answers EIO. */
    public boolean dead() {
        return dead;
    }

    /** KVM_BUG_ON: marks the VM bugged and dead and asks every vCPU to stop. */
    public void bug(String reason) {
        dead = true;
        makeAllVcpusRequest(Requests.VM_DEAD);
        if (events().listening()) {
            events().emit(new VmEvent.Bugged(name, reason));
        }
    }

    /** kvm_make_all_cpus_request. */
    public void makeAllVcpusRequest(int request) {
        for (Vcpu vcpu : vcpus) {
            vcpu.requests().make(request);
        }
        kickAll();
    }

    /** Makes every vCPU leave the guest, and waits until all have (KVM_REQUEST_WAIT). */
    void kickAll() {
        vcpus.forEach(Vcpu::kick);
        processors.ifPresent(Processors::standStill);
    }

    /** vCPUs created from now on can run at the same time, each on its thread. */
    public void runTogether() {
        processors = Optional.of(new Processors());
    }

    /** Where vCPUs run at the same time, if they do. */
    public Optional<Processors> processors() {
        return processors;
    }

    /** kvm_flush_remote_tlbs_range: every vCPU forgets its translations before it runs again. */
    public void flushRemoteTlbs(long startGfn, long endGfn) {
        remoteTlbFlushes++;
        makeAllVcpusRequest(Requests.TLB_FLUSH);
        if (events().listening()) {
            events().emit(new VmEvent.TlbFlush(name, startGfn, endGfn));
        }
    }

    /** Number of calls of {@link #flushRemoteTlbs}. */
    public long remoteTlbFlushes() {
        return remoteTlbFlushes;
    }

    /** mark_page_dirty_in_slot by no vCPU in particular: the page's bit, if the slot has a bitmap. */
    public void markDirty(Memslot slot, long gfn) {
        slot.dirty().ifPresent(bitmap -> bitmap.set(gfn - slot.baseGfn()));
    }

    /** mark_page_dirty_in_slot: an entry in the vCPU's ring if there is one, else the page's bit. */
    public void markDirty(Vcpu vcpu, Memslot slot, long gfn) {
        if (slot.logsDirty() && dirtyLog.usesRing()) {
            vcpu.dirtyRing().ifPresent(ring -> ring.push(slot.addressSpace() << 16 | slot.id(), gfn - slot.baseGfn()));
        } else {
            markDirty(slot, gfn);
        }
    }

    boolean usesDirtyBitmap() {
        return dirtyLog.usesBitmap();
    }

    /** KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 is enabled with INITIALLY_SET: logging starts by leaving page tables alone. */
    public boolean dirtyLogInitiallySet() {
        return dirtyLog.initiallySet();
    }

    /** kvm->arch.cpu_dirty_log_size is not 0: the processor itself logs what guests of this VM write. */
    public boolean usesPml() {
        return kvm.host().pml() && !type.hasProtectedState();
    }

    /** Whether any slot logs: PML is on. */
    public boolean dirtyLogging() {
        return dirtyLog.anySlotLogs();
    }

    int dirtyRingEntries() {
        return dirtyLog.ringEntries();
    }

    void dirtyLoggingChanged(Memslot before, Memslot after) {
        dirtyLog.changed(before, after);
    }

    /** Writes that do not end KVM_RUN. */
    public CoalescedMmio coalescedMmio() {
        return coalescedMmio;
    }

    /**
     * KVM_REGISTER_COALESCED_MMIO or KVM_UNREGISTER_COALESCED_MMIO of a zone.
     *
     * @param pio 1 for ports, 0 for memory
     */
    public IoctlResult coalesce(long start, long bytes, long pio, boolean register) {
        Ioctl which = register ? Ioctl.REGISTER_COALESCED_MMIO : Ioctl.UNREGISTER_COALESCED_MMIO;
        return ioctl(
                which,
                () -> register
                        ? coalescedMmio.register(start, bytes, pio)
                        : coalescedMmio.unregister(start, bytes, pio));
    }

    /** What user space has asked to be told of. */
    public ExitRules exitRules() {
        return exitRules;
    }

    /** KVM_CAP_EXIT_HYPERCALL was enabled for KVM_HC_MAP_GPA_RANGE. */
    public boolean exitsOnMapGpaRange() {
        return exitRules.mapGpaRange();
    }

    /** The in-kernel irqchip, if KVM_CREATE_IRQCHIP made one. */
    public Optional<IrqChip> irqchip() {
        return platform.chip();
    }

    /** Irqchip, PIT, clock, eventfds and their ioctls. */
    public Platform platform() {
        return platform;
    }

    /** kvm_vcpu_kick: the vCPU looks at its local APIC soon. Where one thread runs all vCPUs, it will anyway. */
    void interruptArrived(int apicId) {
        if (processors.isPresent()) {
            for (Vcpu vcpu : vcpus) {
                if (apicId == IrqChip.EVERYONE || vcpu.id() == apicId) {
                    vcpu.kick();
                }
            }
        }
    }

    /** Virtual time in ticks ({@link IrqChip#TSC_HERTZ}): instructions of all vCPUs and idle time. */
    public long now() {
        return now;
    }

    /** A vCPU has come to this moment; time never goes back. */
    public void tick(long to) {
        now = Math.max(now, to);
    }

    /** With every vCPU asleep time passes up to the next timer; false if there is none. */
    public boolean idle() {
        long deadline = irqchip().map(IrqChip::deadline).orElse(Long.MAX_VALUE);
        if (deadline == Long.MAX_VALUE) {
            return false;
        }
        tick(deadline);
        return true;
    }

    /** An ioctl of this VM or of a vCPU was issued. */
    public void issued(Ioctl which) {
        if (events().listening()) {
            events().aside(new VmEvent.Issued(which));
        }
    }

    /**
     * An ioctl by its number, of which there is no verb: KVM_MEMORY_ENCRYPT_OP, for example, or no ioctl at all.
     *
     * @param fd VM or VCPU
     */
    public IoctlResult other(Ioctl.Fd fd, long request) {
        if (Ioctl.of(fd, request).equals(Optional.of(Ioctl.MEMORY_ENCRYPT_OP))
                && (type == VmType.DEFAULT || type == VmType.SW_PROTECTED)) {
            issued(Ioctl.MEMORY_ENCRYPT_OP);
            return answered(
                    kvm.host().npt()
                            ? IoctlResult.done() // the probe of sev_mem_enc_ioctl: a null pointer
                            : IoctlResult.err(Errno.ENOTTY, "kvm_arch_vm_ioctl: not a VM for mem_enc_ioctl"));
        }
        return answered(Kvm.other(fd, request, this::issued));
    }

    /**
     * KVM_SEV_INIT2 on a VM whose type has no such command: EINVAL on an AMD host (sev.c, sev_guest_init2) and on a TD,
     * else ENOTTY.
     */
    public IoctlResult sevInit2() {
        return ioctl(Ioctl.MEMORY_ENCRYPT_OP, () -> switch (type) {
            case DEFAULT, SW_PROTECTED ->
                kvm.host().npt()
                        ? IoctlResult.err(Errno.EINVAL, "sev_guest_init2: not a VM for SEV, SEV-ES or SNP")
                        : IoctlResult.err(Errno.ENOTTY, "kvm_arch_vm_ioctl: not a VM for mem_enc_ioctl");
            case SEV, SEV_ES, SNP -> IoctlResult.unsupported("KVM_SEV_INIT2: the verb of this VM is init2");
            case TDX -> IoctlResult.err(Errno.EINVAL, "tdx_vm_ioctl: not a command of TDX");
        });
    }

    IoctlResult ioctl(Ioctl which, Supplier<IoctlResult> body) {
        issued(which);
        if (dead) {
            return answered(IoctlResult.err(Errno.EIO, "kvm_vm_ioctl: the VM is dead"));
        }
        return answered(body.get());
    }

    /** copy_from_user or copy_to_user of an ioctl's struct: whether it faults. */
    public boolean copyFaults() {
        return kvm.faults().strikes(FaultInjection.Kind.USERCOPY);
    }

    /** kmalloc: whether there is no memory for it. */
    public boolean slabFails() {
        return kvm.faults().strikes(FaultInjection.Kind.SLAB);
    }

    /** Tells the stream of {@code result} if it is a refusal; gives it back. */
    public IoctlResult answered(IoctlResult result) {
        if (events().listening() && result instanceof IoctlResult.Err err) {
            events().emit(new VmEvent.Refused(name, err.errno(), err.reason(), err.check()));
        }
        return result;
    }

    /** KVM_SET_USER_MEMORY_REGION. */
    public IoctlResult setUserMemoryRegion(MemoryRegion region) {
        return ioctl(Ioctl.SET_USER_MEMORY_REGION, () -> SetUserMemoryRegion.call(this, slots, region, false));
    }

    /** KVM_SET_USER_MEMORY_REGION2. */
    public IoctlResult setUserMemoryRegion2(MemoryRegion region) {
        return ioctl(Ioctl.SET_USER_MEMORY_REGION2, () -> SetUserMemoryRegion.call(this, slots, region, true));
    }

    /** KVM_SET_MEMORY_ATTRIBUTES. */
    public IoctlResult setMemoryAttributes(long address, long size, long value, long flags) {
        return ioctl(Ioctl.SET_MEMORY_ATTRIBUTES, () -> SetMemoryAttributes.call(this, address, size, value, flags));
    }

    /** KVM_CREATE_GUEST_MEMFD; the value is the descriptor. */
    public IoctlResult createGuestMemfd(long size, long flags) {
        return ioctl(Ioctl.CREATE_GUEST_MEMFD, () -> GuestMemfd.create(this, size, flags));
    }

    /** KVM_GET_DIRTY_LOG; detail {@code bitmap} holds the bytes copied out. */
    public IoctlResult getDirtyLog(int slot) {
        return ioctl(Ioctl.GET_DIRTY_LOG, () -> dirtyLog.get(slot));
    }

    /** KVM_CLEAR_DIRTY_LOG. */
    public IoctlResult clearDirtyLog(int slot, long firstPage, int numPages, Bytes bitmap) {
        return ioctl(Ioctl.CLEAR_DIRTY_LOG, () -> dirtyLog.clear(slot, firstPage, numPages, bitmap));
    }

    /** KVM_RESET_DIRTY_RINGS. */
    public IoctlResult resetDirtyRings() {
        return ioctl(Ioctl.RESET_DIRTY_RINGS, dirtyLog::resetRings);
    }

    /** KVM_CREATE_VCPU. */
    public IoctlResult createVcpu(long id, CpuidModel model) {
        return ioctl(Ioctl.CREATE_VCPU, () -> {
            if (Long.compareUnsigned(id, platform.vcpuIds() == 0 ? MAX_VCPU_ID : platform.vcpuIds()) >= 0) {
                return Check.VCPU_ID.refuse("kvm_arch_vcpu_precreate: id " + id + " is too big");
            }
            kvmLock.lock();
            if (createdVcpus() >= vendor.maxVcpus()) {
                kvmLock.unlock();
                return Check.VCPU_COUNT.refuse(
                        "kvm_vm_ioctl_create_vcpu: there are %d already".formatted(vendor.maxVcpus()));
            }
            created(1);
            kvmLock.unlock();
            Optional<Check> refusal = vendor.vcpuCreate();
            kvmLock.lock();
            try {
                return refusal.map(this::notCreated).orElseGet(() -> online((int) id, model));
            } finally {
                kvmLock.unlock();
            }
        });
    }

    /** The second half of kvm_vm_ioctl_create_vcpu: the vCPU becomes visible. */
    private IoctlResult online(int id, CpuidModel model) {
        if (vcpus.stream().anyMatch(vcpu -> vcpu.id() == id)) {
            created(-1);
            return Check.VCPU_EXISTS.refuse("kvm_vm_ioctl_create_vcpu: id " + id + " exists");
        }
        var vcpu = new Vcpu(this, id, model);
        vcpus.add(vcpu);
        vcpus.forEach(each -> each.cpu().setProcessors(vcpus.size()));
        created(-1);
        return IoctlResult.ok(mm.descriptors().open(vcpu));
    }

    private IoctlResult notCreated(Check check) {
        created(-1);
        return check.refuse("kvm_arch_vcpu_create: " + check.condition());
    }

    private int createdVcpus() {
        seams().footprint().read(name + ".vcpus_in_creation", vcpusInCreation);
        return vcpus.size() + vcpusInCreation;
    }

    private void created(int change) {
        seams().footprint().added(name + ".vcpus_in_creation", vcpusInCreation, change);
        vcpusInCreation += change;
    }

    /** Whether KVM_CREATE_VCPU is under way (created_vcpus is not online_vcpus). */
    public boolean vcpuCreationInProgress() {
        seams().footprint().read(name + ".vcpus_in_creation", vcpusInCreation);
        return vcpusInCreation != 0;
    }

    /**
     * KVM_ENABLE_CAP on the VM.
     *
     * @param cap KVM_CAP_*
     * @param arg args[0]
     * @param flags must be 0
     */
    public IoctlResult enableCap(int cap, long arg, long flags) {
        return ioctl(
                Ioctl.ENABLE_CAP,
                () -> flags != 0
                        ? Check.CAP_FLAGS.refuse("kvm_vm_ioctl_enable_cap: flags must be 0")
                        : exitRules.enable(cap, arg).orElseGet(() -> enableOther(cap, arg)));
    }

    /** KVM_ENABLE_CAP on the VM without flags. */
    public IoctlResult enableCap(int cap, long arg) {
        return enableCap(cap, arg, 0);
    }

    /** KVM_GET_TSC_KHZ of the VM. */
    public IoctlResult getTscKhz() {
        return ioctl(Ioctl.VM_GET_TSC_KHZ, () -> IoctlResult.ok(VcpuIoctls.KHZ));
    }

    /** KVM_SET_TSC_KHZ of the VM, on a host that cannot scale: its own rate is the highest. */
    public IoctlResult setTscKhz(long khz) {
        return ioctl(Ioctl.VM_SET_TSC_KHZ, () -> {
            if (Long.compareUnsigned(khz, VcpuIoctls.KHZ) > 0) {
                return Check.VM_TSC_FASTER.refuse("kvm_arch_vm_ioctl, KVM_SET_TSC_KHZ: above the host's rate");
            }
            return khz == 0 || khz == VcpuIoctls.KHZ
                    ? IoctlResult.done()
                    : IoctlResult.unsupported("a TSC slower than the host's: it cannot be scaled");
        });
    }

    /** KVM_X86_SET_MSR_FILTER. */
    public IoctlResult setMsrFilter(long flags, List<MsrFilter.MsrRange> ranges) {
        return ioctl(Ioctl.X86_SET_MSR_FILTER, () -> MsrFilter.set(this, flags, ranges));
    }

    private IoctlResult enableOther(int cap, long arg) {
        return switch (cap) {
            case Cap.MANUAL_DIRTY_LOG_PROTECT2 -> dirtyLog.enableManual(arg);
            case Cap.DIRTY_LOG_RING, Cap.DIRTY_LOG_RING_ACQ_REL -> dirtyLog.enableRing(arg);
            case Cap.DIRTY_LOG_RING_WITH_BITMAP -> dirtyLog.enableRingWithBitmap();
            case Cap.SPLIT_IRQCHIP -> platform.split(arg);
            case Cap.X2APIC_API -> platform.x2apicApi(arg);
            case Cap.MAX_VCPU_ID -> platform.maxVcpuId(arg);
            case Cap.DISABLE_QUIRKS -> {
                quirks &= ~arg;
                yield IoctlResult.done();
            }
            case Cap.X86_DISABLE_EXITS, Cap.HALT_POLL, Cap.PMU_CAPABILITY, Cap.SGX_ATTRIBUTE, Cap.MSR_PLATFORM_INFO ->
                IoctlResult.unsupported("capability " + cap + " of KVM_ENABLE_CAP");
            case Cap.DISABLE_QUIRKS2 -> {
                if ((arg & ~Cap.quirks(kvm)) != 0) {
                    yield Check.CAP_QUIRKS.refuse("KVM_CAP_DISABLE_QUIRKS2: unknown quirk");
                }
                quirks &= ~arg;
                yield IoctlResult.done();
            }
            case Cap.VM_DISABLE_NX_HUGE_PAGES -> {
                if (!mm.capSysBoot()) {
                    yield Check.CAP_NX_PERMISSION.refuse("KVM_CAP_VM_DISABLE_NX_HUGE_PAGES: needs CAP_SYS_BOOT");
                }
                if (arg != 0) {
                    yield Check.CAP_NX_ARG.refuse("KVM_CAP_VM_DISABLE_NX_HUGE_PAGES: args[0] must be 0");
                }
                if (!vcpus.isEmpty()) {
                    yield Check.CAP_NX_VCPU.refuse("KVM_CAP_VM_DISABLE_NX_HUGE_PAGES: a vCPU exists");
                }
                nxHugePagesDisabled = true;
                yield IoctlResult.done();
            }
            default -> Check.CAP_UNKNOWN.refuse("kvm_vm_ioctl_enable_cap: capability " + cap + " is not known");
        };
    }

    /** KVM_CHECK_EXTENSION on the VM. */
    public long checkExtension(int cap) {
        issued(Ioctl.CHECK_EXTENSION);
        return Cap.onVm(this, cap);
    }

    /** close of a guest_memfd descriptor. */
    public void closeGmem(GuestMemfd file) {
        if (mm.descriptors().close(file.fd())) {
            file.release();
        }
    }

    /** What is not told at the {@link Footprint}, as a number that is the same for the same state in every run. */
    long fingerprint() {
        long flags = (dead ? 1 : 0) | (preFaultAllowed ? 2 : 0) | (nxHugePagesDisabled ? 4 : 0);
        long hash = (flags * 31 + quirks) * 31 + exitRules.fingerprint();
        hash = hash * 31 + slots.fingerprint();
        hash = hash * 31 + dirtyLog.fingerprint();
        hash = hash * 31 + mmu.fingerprint();
        hash = hash * 31 + vendor.fingerprint();
        for (Vcpu vcpu : vcpus) {
            hash = (hash * 31 + vcpu.id()) * 31
                    + vcpu.dirtyRing().map(DirtyRing::fingerprint).orElse(0L);
        }
        for (GuestMemfd file : gmems) {
            hash = hash * 31 + file.fingerprint();
        }
        return hash;
    }

    /** The fields as they are, as an action that puts them back; memory is not among them. */
    public Runnable checkpoint() {
        var parts = new ArrayList<Runnable>();
        parts.add(invalidate.checkpoint());
        parts.add(srcu.checkpoint());
        locks().forEach(lock -> parts.add(lock.checkpoint()));
        vcpus.forEach(vcpu -> parts.add(vcpu.mutex().checkpoint()));
        gmems.forEach(file -> parts.add(file.invalidateLock().checkpoint()));
        int savedInCreation = vcpusInCreation;
        parts.add(exitRules.checkpoint());
        parts.add(coalescedMmio.checkpoint());
        parts.add(attributes.checkpoint());
        parts.add(slots.checkpoint());
        parts.add(dirtyLog.checkpoint());
        parts.add(mmu.checkpoint());
        parts.add(vendor.checkpoint());
        vcpus.forEach(vcpu -> parts.add(vcpu.checkpoint()));
        gmems.forEach(file -> parts.add(file.checkpoint()));
        var savedVcpus = vcpus();
        var savedGmems = gmems();
        long savedQuirks = quirks;
        boolean savedNx = nxHugePagesDisabled;
        boolean savedAllowed = preFaultAllowed;
        boolean savedDead = dead;
        long savedFlushes = remoteTlbFlushes;
        parts.add(platform.checkpoint());
        long savedNow = now;
        return () -> {
            parts.forEach(Runnable::run);
            vcpus = new ArrayList<>(savedVcpus);
            gmems = new ArrayList<>(savedGmems);
            vcpusInCreation = savedInCreation;
            quirks = savedQuirks;
            nxHugePagesDisabled = savedNx;
            preFaultAllowed = savedAllowed;
            dead = savedDead;
            remoteTlbFlushes = savedFlushes;
            now = savedNow;
        };
    }
}
