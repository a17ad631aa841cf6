package kvasir.kvm.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.R9;
import static kvasir.metal.tdx.Operand.RCX;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import kvasir.kvm.Check;
import kvasir.kvm.Errno;
import kvasir.kvm.Footprint;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.RunResult;
import kvasir.kvm.Vcpu;
import kvasir.kvm.VendorOps;
import kvasir.kvm.Vm;
import kvasir.kvm.irqchip.IrqChip;
import kvasir.kvm.mmu.TdpMmu;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.tdx.SeamcallRegs;
import kvasir.metal.tdx.Status;
import kvasir.metal.tdx.TdProcessor;
import kvasir.metal.tdx.Tdr;
import kvasir.metal.tdx.Tdvps;

/** One TD as KVM holds it (struct kvm_tdx): its sub-commands and the hooks of its mirror. */
public final class TdxVm implements VendorOps {
    private final Vm vm;
    private final TdxHost host;
    private final InitMemRegionMode mode;
    private State state = State.UNINITIALIZED;
    private int hkid = -1;
    private int releasedHkid = -1;
    private long tdr;
    private int gpaWidth = 48;
    private List<Long> tdcsPages = new ArrayList<>();
    private TreeMap<Integer, TdxVcpu> vcpus = new TreeMap<>();
    private List<Long> leaked = new ArrayList<>();
    private int unsettled;
    private boolean rbpMod;
    private boolean splitIrqchip = true;
    private final IrqChip chip = new IrqChip();
    private final SeptHooks sept;
    private final String stateCell;

    /** TD_STATE_*. */
    public enum State {
        UNINITIALIZED,
        INITIALIZED,
        RUNNABLE
    }

    /** The vendor part of a VM of type TDX; the caller attaches it. */
    public TdxVm(Vm vm, TdxHost host, InitMemRegionMode mode) {
        this.vm = vm;
        this.host = host;
        this.mode = mode;
        stateCell = vm.name() + ".tdx.state";
        sept = new SeptHooks(this);
    }

    public Vm vm() {
        return vm;
    }

    /**
     * Leaves CONFIG_FLAGS.NO_RBP_MOD out of KVM_TDX_INIT_VM, which Linux never does: firmware of before March 2024 exposes
     * RBP in every TDVMCALL, and the module refuses that to a TD with NO_RBP_MOD.
     */
    public void allowRbpMod() {
        rbpMod = true;
    }

    /** The local APICs; the rest of a split irqchip is user space's. */
    IrqChip chip() {
        return chip;
    }

    /** User space did without KVM_CAP_SPLIT_IRQCHIP. */
    public void withoutSplitIrqchip() {
        splitIrqchip = false;
    }

    boolean rbpMod() {
        return rbpMod;
    }

    /** The host's TDX. */
    public TdxHost host() {
        return host;
    }

    InitMemRegionMode mode() {
        return mode;
    }

    public State state() {
        told().read(stateCell, state.ordinal());
        return state;
    }

    private void become(State next) {
        told().wrote(stateCell, state.ordinal(), next.ordinal());
        state = next;
    }

    Footprint told() {
        return vm.seams().footprint();
    }

    /** HPA of the TDR; 0 before KVM_TDX_INIT_VM and after the end. */
    public long tdr() {
        return tdr;
    }

    /** The key id, −1 when none is assigned. */
    public int hkid() {
        return hkid;
    }

    /** Mirror leaves whose page is not added yet (nr_premapped). */
    public long premapped() {
        return sept.premapped();
    }

    /** The TD's root page, once it exists. */
    public Optional<Tdr> root() {
        return tdr == 0 ? Optional.empty() : host.module().tdr(tdr);
    }

    /** HPA of a vCPU's TDVPR, once KVM_TDX_INIT_VCPU was done. */
    public Optional<Tdvps> vcpuState(int id) {
        return Optional.ofNullable(vcpus.get(id)).map(v -> new Tdvps(vm.kvm().memory(), v.tdvpr));
    }

    /** What runs a vCPU's code, for those who watch; the host of a TD cannot see it. */
    public Optional<TdProcessor> processor(int id) {
        return Optional.ofNullable(vcpus.get(id)).map(v -> v.run.processor());
    }

    /** State of every initialised vCPU, by id. */
    public List<Tdvps> vcpuStates() {
        return vcpus.values().stream()
                .map(v -> new Tdvps(vm.kvm().memory(), v.tdvpr))
                .toList();
    }

    /** Whether no vCPU is being made and the TD is not being taken down, so that the books must balance. */
    public boolean settled() {
        return unsettled == 0;
    }

    /** Whether a mirror leaf may stand for a page that is not added yet. */
    public boolean mayPremap() {
        return mode != InitMemRegionMode.MERGED_6_19 && state() != State.RUNNABLE;
    }

    /** Pages that could not be given back, in the order they were lost. */
    public List<Long> leaked() {
        return List.copyOf(leaked);
    }

    // ---- sub-commands

    /** KVM_TDX_INIT_VM. */
    public IoctlResult initVm(InitVm init, TdxCmd cmd) {
        return vmIoctl(cmd, () -> new InitVmCommand(this, init).run(cmd.flags()));
    }

    /**
     * KVM_TDX_INIT_VCPU.
     *
     * @param handOff what the guest finds in RCX and R8: the address of the TD HOB
     */
    public IoctlResult initVcpu(Vcpu vcpu, long handOff, TdxCmd cmd) {
        return vcpuIoctl(vcpu, cmd, locksEverything(), () -> {
            unsettled++;
            IoctlResult result = new InitVcpuCommand(this, vcpu).run(handOff, cmd.flags());
            unsettled--;
            return result;
        });
    }

    /**
     * KVM_TDX_INIT_MEM_REGION; of the flags bit 0 is KVM_TDX_MEASURE_MEMORY_REGION.
     *
     * @param region read and written back
     */
    public IoctlResult initMemRegion(Vcpu vcpu, MemRegion region, TdxCmd cmd) {
        return vcpuIoctl(vcpu, cmd, locksEverything(), () -> {
            if (locksEverything()) {
                return new InitMemRegionCommand(this, vcpu, region).run(cmd.flags());
            }
            vm.slotsLock().lock();
            try {
                return new InitMemRegionCommand(this, vcpu, region).run(cmd.flags());
            } finally {
                vm.slotsLock().unlock();
            }
        });
    }

    /** KVM_TDX_EXTEND_MEMORY of the v19 patches: TDH.MR.EXTEND of pages that were added before. */
    public IoctlResult extendRange(long gpa, long pages) {
        return vmIoctl(TdxCmd.PLAIN, () -> {
            for (long page = 0; page < pages; page++) {
                long status = extend(gpa + (page << 12));
                if (status != 0) {
                    return failed(Errno.EIO, "TDH.MR.EXTEND", status);
                }
            }
            return IoctlResult.done();
        });
    }

    /** KVM_TDX_FINALIZE_VM, which does not look at flags. */
    public IoctlResult finalizeVm(TdxCmd cmd) {
        return vmIoctl(cmd, () -> {
            if (locksEverything()) {
                return finalizeLocked();
            }
            vm.slotsLock().lock();
            try {
                return finalizeLocked();
            } finally {
                vm.slotsLock().unlock();
            }
        });
    }

    /**
     * KVM_TDX_CAPABILITIES.
     *
     * @param entries room in the kvm_cpuid2 that user space gave
     */
    public IoctlResult capabilities(TdxCmd cmd, long entries) {
        Optional<IoctlResult> refused = vm.dead() ? Optional.of(dead("kvm_vm_ioctl")) : header(cmd);
        return vm.answered(refused.orElseGet(() -> new CpuidCommands(this).capabilities(cmd.flags(), entries)));
    }

    /**
     * KVM_TDX_GET_CPUID, which does not look at flags: the leaves as the TD has them, detail {@code cpuid}.
     *
     * @param entries room in the kvm_cpuid2 that user space gave
     */
    public IoctlResult getCpuid(Vcpu vcpu, TdxCmd cmd, long entries) {
        return vcpuIoctl(vcpu, cmd, false, () -> new CpuidCommands(this).get(entries));
    }

    /** A command that the file of the VM does not know. */
    public IoctlResult unknownVmCommand(TdxCmd cmd, long id) {
        return vmIoctl(cmd, () -> unknown("tdx_vm_ioctl", id));
    }

    /** A command that the file of a vCPU does not know. */
    public IoctlResult unknownVcpuCommand(Vcpu vcpu, TdxCmd cmd, long id) {
        return vcpuIoctl(vcpu, cmd, false, () -> unknown("tdx_vcpu_ioctl", id));
    }

    private static IoctlResult unknown(String function, long id) {
        return Check.TDX_CMD_ID.refuse("%s: %d is no command of this file".formatted(function, id));
    }

    /** 6.19: kvm->lock, every vcpu->mutex and slots_lock; before, only what each command needs. */
    boolean locksEverything() {
        return mode == InitMemRegionMode.MERGED_6_19;
    }

    private static IoctlResult dead(String function) {
        return IoctlResult.err(Errno.EIO, function + ": the VM is dead");
    }

    /** struct kvm_tdx_cmd is read. */
    private Optional<IoctlResult> header(TdxCmd cmd) {
        if (vm.copyFaults()) {
            return Optional.of(Check.TDX_CMD_COPY.refuse("tdx_get_cmd: copy_from_user"));
        }
        return cmd.hwError() == 0
                ? Optional.empty()
                : Optional.of(Check.TDX_CMD_HW_ERROR.refuse("tdx_get_cmd: hw_error is the kernel's to fill"));
    }

    /** A sub-command of the VM (tdx_vm_ioctl): with kvm->lock, from 6.19 on with everything. */
    private IoctlResult vmIoctl(TdxCmd cmd, Supplier<IoctlResult> body) {
        Optional<IoctlResult> refused = vm.dead() ? Optional.of(dead("kvm_vm_ioctl")) : header(cmd);
        return vm.answered(refused.orElseGet(() -> withKvmLock(body)));
    }

    private IoctlResult withKvmLock(Supplier<IoctlResult> body) {
        vm.kvmLock().lock();
        try {
            return locksEverything() ? withEverything(body) : body.get();
        } finally {
            vm.kvmLock().unlock();
        }
    }

    /**
     * A sub-command of a vCPU: with its mutex (tdx_vcpu_ioctl), or with everything (tdx_vcpu_unlocked_ioctl). Before 6.19
     * the TD's state is looked at first, from then on between the struct and the command.
     */
    private IoctlResult vcpuIoctl(Vcpu vcpu, TdxCmd cmd, boolean everything, Supplier<IoctlResult> body) {
        if (vm.dead()) {
            return vm.answered(dead("kvm_vcpu_ioctl"));
        }
        if (everything) {
            Supplier<IoctlResult> gated = () -> gate().orElseGet(body);
            return vm.answered(header(cmd).orElseGet(() -> withKvmLock(gated)));
        }
        vcpu.mutex().lock();
        try {
            return vm.answered(gate().or(() -> header(cmd)).orElseGet(body));
        } finally {
            vcpu.mutex().unlock();
        }
    }

    private Optional<IoctlResult> gate() {
        return hkid >= 0 && state() != State.RUNNABLE
                ? Optional.empty()
                : Optional.of(Check.TDX_CMD_VCPU_STATE.refuse("tdx_vcpu_ioctl: the TD has no HKID, or is finalized"));
    }

    /** tdx_acquire_vm_state_locks: no vCPU is being created, nobody holds a vCPU, and memslots stay. */
    private IoctlResult withEverything(Supplier<IoctlResult> body) {
        if (vm.vcpuCreationInProgress()) {
            return Check.TDX_CMD_CREATING.refuse("tdx_acquire_vm_state_locks: a vCPU is being created");
        }
        List<Vcpu> all = vm.vcpus();
        all.forEach(vcpu -> vcpu.mutex().lock());
        vm.slotsLock().lock();
        try {
            return body.get();
        } finally {
            vm.slotsLock().unlock();
            all.reversed().forEach(vcpu -> vcpu.mutex().unlock());
        }
    }

    void vpWrite(int cpu, long tdvpr, long field, long value, long mask) {
        long status = host.seamcall(
                        cpu,
                        "TDH.VP.WR",
                        SeamcallRegs.of(43, tdvpr, field).with(R8, value).with(R9, mask))
                .rax();
        if (status != 0) {
            bug("TDH.VP.WR", status);
        }
    }

    private IoctlResult finalizeLocked() {
        if (hkid < 0 || state() == State.RUNNABLE) {
            return Check.TDX_FINALIZE_STATE.refuse("tdx_td_finalize: the TD has no HKID, or is finalized already");
        }
        long waiting = premapped();
        if (waiting != 0) {
            return Check.TDX_FINALIZE_PREMAPPED.refuse(
                    "tdx_td_finalize: %d pages are mapped and not added (nr_premapped)".formatted(waiting));
        }
        long status = host.seamcall(0, "TDH.MR.FINALIZE", SeamcallRegs.leaf(17).with(RCX, tdr))
                .rax();
        if (Status.OPERAND_BUSY.is(status)) {
            return failed(Check.TDX_FINALIZE_BUSY, "TDH.MR.FINALIZE", status);
        }
        if (status != 0) {
            bug("TDH.MR.FINALIZE", status);
            return failed(Check.TDX_FINALIZE_REFUSED, "TDH.MR.FINALIZE", status);
        }
        become(State.RUNNABLE);
        vm.allowPreFault();
        return IoctlResult.done();
    }

    // ---- what the commands change

    void created(long root, int key) {
        tdr = root;
        hkid = key;
        host.module().label(root, vm.name());
    }

    void addVcpu(TdxVcpu vcpu) {
        told().wrote(vcpuCell(vcpu.id), 0, vcpu.tdvpr);
        vcpus.put(vcpu.id, vcpu);
    }

    /** A page that the module keeps and nobody will give back. */
    void leak(long page) {
        leaked.add(page);
    }

    void addTdcsPage(long page) {
        tdcsPages.add(page);
    }

    void initialised(int width) {
        gpaWidth = width;
        become(State.INITIALIZED);
    }

    boolean vcpuInitialised(Vcpu vcpu) {
        TdxVcpu initialised = vcpus.get(vcpu.id());
        told().read(vcpuCell(vcpu.id()), initialised == null ? 0 : initialised.tdvpr);
        return initialised != null;
    }

    private String vcpuCell(int id) {
        return vm.name() + ".tdx.vcpu" + id;
    }

    /** Whether {@code gpa} is a private address of this TD. */
    boolean privateGpa(long gpa) {
        return gpa >>> gpaWidth - 1 == 0;
    }

    /** TDH.MEM.PAGE.ADD; the status. */
    long pageAdd(long gpa, long pfn, long sourceHpa) {
        if (told().listening()) {
            vm.kvm().memory().read(sourceHpa, new byte[4096], 0, 4096);
        }
        return host.seamcall(0, "TDH.MEM.PAGE.ADD", SeamcallRegs.of(2, gpa, tdr, pfn << 12, sourceHpa))
                .rax();
    }

    /** TDH.MR.EXTEND of one page; 0, or the first status that is not. */
    long extend(long gpa) {
        for (long chunk = gpa; chunk < gpa + 4096; chunk += 256) {
            long status = host.seamcall(0, "TDH.MR.EXTEND", SeamcallRegs.of(16, chunk, tdr))
                    .rax();
            if (status != 0) {
                return status;
            }
        }
        return 0;
    }

    static IoctlResult failed(Errno errno, String leaf, long status) {
        return new IoctlResult.Err(errno, leaf + " answered " + Status.describe(status), Map.of("hw_error", status));
    }

    static IoctlResult failed(Check check, String leaf, long status) {
        return check.refuse(leaf + " answered " + Status.describe(status), Map.of("hw_error", status));
    }

    /** TDX_BUG_ON: the module answered what KVM cannot go on with. */
    void bug(String leaf, long status) {
        vm.bug(leaf + " answered " + Status.describe(status));
    }

    // ---- VendorOps

    @Override
    public long gfnDirectBits() {
        return 1L << gpaWidth - 1 - 12;
    }

    /** tdx_vcpu_create: always, for KVM makes no TD that can be debugged. */
    @Override
    public boolean stateProtected(Vcpu vcpu) {
        return true;
    }

    @Override
    public long mmioValue(long hardwareValue) {
        return 0;
    }

    @Override
    public int gmemMaxMappingLevel(long pfn, boolean isPrivate) {
        return 1;
    }

    @Override
    public Cpu processor(Vcpu vcpu) {
        return processor(vcpu.id()).map(TdProcessor::cpu).orElseGet(vcpu::cpu);
    }

    @Override
    public Optional<Check> vcpuCreate() {
        if (state() != State.INITIALIZED) {
            return Optional.of(Check.VCPU_TD_STATE);
        }
        return splitIrqchip ? Optional.empty() : Optional.of(Check.VCPU_TD_IRQCHIP);
    }

    /** tdx_vm_init: no more than the host has CPUs. */
    @Override
    public int maxVcpus() {
        return host.cpus();
    }

    @Override
    public Optional<RunResult> run(Vcpu vcpu, long budget) {
        TdxVcpu td = vcpus.get(vcpu.id());
        if (state() != State.RUNNABLE || td == null) {
            return Optional.of(
                    vcpu.kvmRun().immediateExit()
                            ? new RunResult.Refused(
                                    Check.RUN_IMMEDIATE_EXIT, "kvm_arch_vcpu_ioctl_run: immediate_exit is set")
                            : new RunResult.Refused(
                                    Check.RUN_TD_STATE,
                                    "tdx_vcpu_pre_run: the TD is not finalized, or the vCPU not initialised"));
        }
        return Optional.of(td.run.run(budget, td.tdvpr));
    }

    @Override
    public int linkExternalSpt(long gfn, int level, long externalPfn) {
        return sept.link(gfn, level, externalPfn);
    }

    @Override
    public int setExternalSpte(long gfn, int level, long spte) {
        return sept.set(gfn, level, spte);
    }

    @Override
    public void removeExternalSpte(long gfn, int level, long oldSpte) {
        sept.remove(gfn, level, oldSpte);
    }

    @Override
    public void freeExternalSpt(long gfn, int level, long externalPfn) {
        sept.free(externalPfn);
    }

    /** KVM's side of the S-EPT. */
    SeptHooks sept() {
        return sept;
    }

    @Override
    public int mapMemorySource(Vcpu vcpu, long gfn, int level, long source) {
        long word = vm.mm().gup(source, false);
        if (kvasir.kvm.mm.Pfn.isError(word)) {
            return -Errno.EFAULT.number();
        }
        long pfn = mirrorPfn(gfn << 12);
        if (pfn < 0 || state() == State.RUNNABLE) {
            return -Errno.EINVAL.number();
        }
        long status = pageAdd(gfn << 12, pfn, kvasir.kvm.mm.Pfn.pfn(word) << 12);
        if (status != 0) {
            return Status.OPERAND_BUSY.is(status) ? -Errno.EBUSY.number() : -Errno.EIO.number();
        }
        sept.added();
        return 0;
    }

    /** The pfn of the mirror's leaf, −1 if there is none (kvm_tdp_mmu_get_walk_mirror_pfn). */
    long mirrorPfn(long gpa) {
        return ((TdpMmu) vm.mmu()).mirrorPfn(gpa);
    }

    // ---- teardown

    /** Ends the TD in the legal order: pages, vCPUs, HKID, then every page of the module's (tdx_mmu_release_hkid, tdx_vm_destroy). */
    public void destroy() {
        vm.gmems().forEach(vm::closeGmem);
        release();
        become(State.UNINITIALIZED);
    }

    /** Releases the HKID and reclaims what the TD has; also the way back of a failed KVM_TDX_INIT_VM. */
    void release() {
        unsettled++;
        if (hkid >= 0 && releaseHkid()) {
            giveAllBack();
        }
        unsettled--;
    }

    private void giveAllBack() {
        sept.takePages().forEach(this::giveBack);
        for (TdxVcpu vcpu : vcpus.values()) {
            vcpu.pages.forEach(this::giveBack);
            giveBack(vcpu.tdvpr);
        }
        vcpus.clear();
        tdcsPages.forEach(this::giveBack);
        tdcsPages.clear();
        if (host.reclaim(tdr, host.globalHkid())) {
            host.freePage(tdr);
        } else {
            leaked.add(tdr);
        }
        tdr = 0;
    }

    private boolean releaseHkid() {
        for (TdxVcpu vcpu : vcpus.values()) {
            host.seamcall(
                    host.cpuOf(vcpu.id), "TDH.VP.FLUSH", SeamcallRegs.leaf(18).with(RCX, vcpu.tdvpr));
        }
        if (leaf("TDH.MNG.VPFLUSHDONE", 0, 19) != 0) {
            return false;
        }
        for (int cpu = 0; cpu < host.packages(); cpu++) {
            long resume = 0;
            while (Status.INTERRUPTED_RESUMABLE.is(host.seamcall(
                            cpu, "TDH.PHYMEM.CACHE.WB", SeamcallRegs.leaf(40).with(RCX, resume))
                    .rax())) {
                resume = 1;
            }
        }
        if (leaf("TDH.MNG.KEY.FREEID", 0, 20) != 0) {
            return false;
        }
        host.freeHkid(hkid);
        releasedHkid = hkid;
        hkid = -1;
        return true;
    }

    private long leaf(String name, int cpu, long number) {
        return host.seamcall(cpu, name, SeamcallRegs.leaf(number).with(RCX, tdr))
                .rax();
    }

    void giveBack(long page) {
        if (host.reclaim(page, releasedHkid)) {
            host.freePage(page);
        } else {
            leaked.add(page);
        }
    }

    @Override
    public long fingerprint() {
        long hash = (hkid * 31L + releasedHkid) * 31 + tdr;
        return (hash * 31 + tdcsPages.hashCode()) * 31 + leaked.hashCode() * 31L + host.fingerprint();
    }

    @Override
    public Runnable checkpoint() {
        Runnable hostPart = host.checkpoint();
        Runnable chipPart = chip.checkpoint();
        Runnable septPart = sept.checkpoint();
        State savedState = state;
        int savedHkid = hkid;
        int savedReleased = releasedHkid;
        long savedTdr = tdr;
        int savedWidth = gpaWidth;
        var savedTdcs = List.copyOf(tdcsPages);
        var savedVcpus = new TreeMap<>(vcpus);
        var runs = vcpus.values().stream().map(vcpu -> vcpu.run.checkpoint()).toList();
        int savedUnsettled = unsettled;
        var savedLeaked = List.copyOf(leaked);
        return () -> {
            hostPart.run();
            chipPart.run();
            septPart.run();
            state = savedState;
            hkid = savedHkid;
            releasedHkid = savedReleased;
            tdr = savedTdr;
            gpaWidth = savedWidth;
            tdcsPages = new ArrayList<>(savedTdcs);
            vcpus = new TreeMap<>(savedVcpus);
            runs.forEach(Runnable::run);
            unsettled = savedUnsettled;
            leaked = new ArrayList<>(savedLeaked);
        };
    }
}
