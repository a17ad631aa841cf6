package kvasir.kvm;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.cpu.SecondStage;
import kvasir.metal.cpu.Segment;
import kvasir.metal.paging.HostWriteCheck;

/** One virtual processor (struct kvm_vcpu) and the ioctls of its descriptor. */
public final class Vcpu {
    private static final long NO_OWNERS = -1;
    private static final int IA32_APIC_BASE = 0x1b;
    private static final int MSR_EFER = 0xc000_0080;

    private static final int MAXPHYADDR_WITHOUT_CPUID = 36;

    private final Vm vm;
    private final int id;
    private final KernelLock mutex;
    private final Requests requests;
    private final KvmRun run;
    private final ExitCounters exits = new ExitCounters();
    private final Optional<DirtyRing> ring;
    private Cpu cpu;
    private final VcpuMmu mmu;
    private final Optional<VcpuLapic> lapic;
    private final RunLoop loop;
    private final GuestDebug guestDebug = new GuestDebug(this);
    private final Pml pml;
    private final VcpuEvents vcpuEvents;
    private final VcpuRegisters registers = new VcpuRegisters(this);
    private OptionalInt cpuidMaxPhyAddr = OptionalInt.empty();
    private Optional<CpuidTable> cpuidTable = Optional.empty();
    private boolean everRan;
    private long signalAfter = -1;
    private volatile boolean interrupted;
    private final SystemManagement systemManagement = new SystemManagement(this);
    private boolean guestMode;
    private boolean nestedTdp;
    private long seenOwners = NO_OWNERS;
    private long loadedRoot = -1;

    /**
     * @param id KVM_CREATE_VCPU's argument
     * @param model the processor; what CPUID tells of it is up to {@link #setCpuid2}
     */
    Vcpu(Vm vm, int id, CpuidModel model) {
        this.vm = vm;
        this.id = id;
        run = new KvmRun(vm.coalescedMmio().page());
        requests = new Requests(vm.name() + ".vcpu" + id, vm.seams());
        mutex = new KernelLock(vm.name() + ".vcpu" + id + ".mutex", vm.seams(), vm.events(), this::fingerprint);
        int entries = vm.dirtyRingEntries();
        ring = entries == 0 ? Optional.empty() : Optional.of(new DirtyRing(entries, vm.usesPml()));
        cpu = processor(model);
        lapic = vm.irqchip().map(chip -> new VcpuLapic(this, chip, model.physicalBits()));
        vcpuEvents = new VcpuEvents(this);
        mmu = vm.mmu().createVcpu(this);
        loop = new RunLoop(this);
        pml = new Pml(this);
        pml.update();
    }

    private Cpu processor(CpuidModel model) {
        var processor = new Cpu(vm.kvm().memory(), vm.events(), model, id);
        processor.setEngine(vm.kvm().engine());
        processor.setProcessors(Math.max(1, vm.vcpus().size()));
        processor.interceptCpuid(true);
        processor.interceptCr8(vm.irqchip().isPresent() || !vm.type().hasProtectedState());
        vm.processors().ifPresent(processor::join);
        processor.interceptBusLocks(vm.exitRules().busLocks());
        processor.interceptMsrs(index -> filtered(index, MsrFilter.READ), index -> filtered(index, MsrFilter.WRITE));
        return processor;
    }

    public Vm vm() {
        return vm;
    }

    public int id() {
        return id;
    }

    /** vcpu-&gt;mutex. */
    public KernelLock mutex() {
        return mutex;
    }

    public Requests requests() {
        return requests;
    }

    /** The page shared with user space. */
    public KvmRun kvmRun() {
        return run;
    }

    public ExitCounters exits() {
        return exits;
    }

    public VcpuMmu mmu() {
        return mmu;
    }

    /** The processor that runs the guest. */
    public Cpu cpu() {
        return cpu;
    }

    /** The dirty ring, if the VM uses one. */
    public Optional<DirtyRing> dirtyRing() {
        return ring;
    }

    /** Its local APIC, if the irqchip is in the kernel. */
    public Optional<VcpuLapic> lapic() {
        return lapic;
    }

    /** KVM_GET_MP_STATE; always runnable where user space has the local APIC. */
    public MpState mpState() {
        return lapic.map(VcpuLapic::state).orElse(MpState.RUNNABLE);
    }

    /** What {@link #mpState} is from now on, where the local APIC is in the kernel. */
    public void setMpState(MpState wanted) {
        lapic.ifPresent(apic -> apic.setState(wanted));
    }

    private boolean filtered(int index, int access) {
        return !vm.exitRules().msrFilter().allows(index, access);
    }

    /** Events that user space gives to the guest. */
    public VcpuEvents events() {
        return vcpuEvents;
    }

    /** The register structs of the ABI. */
    public VcpuRegisters registers() {
        return registers;
    }

    /** The ioctls that read or write the state of the vCPU. */
    public VcpuIoctls ioctls() {
        return new VcpuIoctls(this);
    }

    /** The processor has found no instruction boundary for longer than the notify window (SDM volume 3, exit reason 75). */
    public IoctlResult passNotifyWindow(boolean contextInvalid) {
        if (!vm.exitRules().notifyWindow()) {
            return IoctlResult.err(Errno.EINVAL, "KVM_CAP_X86_NOTIFY_VMEXIT is not enabled: nothing watches");
        }
        loop.passNotifyWindow(contextInvalid);
        return IoctlResult.done();
    }

    /** Whether PAUSE ends KVM_RUN with {@link RunResult.Descheduled} (pause-loop exiting with a window of 0). */
    public void yieldOnPause(boolean yields) {
        cpu.interceptPause(yields);
    }

    /**
     * KVM_RUN.
     *
     * @param budget instructions after which the guest is taken for an endless loop, at least 1
     */
    public RunResult run(long budget) {
        return run(budget, 0);
    }

    /**
     * KVM_RUN with an argument.
     *
     * @param arg must be 0
     */
    public RunResult run(long budget, long arg) {
        vm.issued(Ioctl.RUN);
        if (vm.dead()) {
            return told(new RunResult.Refused(Check.RUN_DEAD, "kvm_vcpu_ioctl: the VM is dead"));
        }
        if (arg != 0) {
            return told(new RunResult.Refused(Check.RUN_ARG, "kvm_vcpu_ioctl: the argument must be 0"));
        }
        mutex.lock();
        everRan = true;
        RunResult result = vm.type().hasProtectedState() && (run.validRegs() | run.dirtyRegs()) != 0
                ? told(new RunResult.Refused(
                        Check.RUN_SYNC_REGS, "kvm_arch_vcpu_ioctl_run: no registers cross where they are protected"))
                : entered(budget);
        mutex.unlock();
        return result;
    }

    private RunResult entered(long budget) {
        run.clearFlags();
        Optional<RunResult> vendors = vm.vendor().run(this, budget);
        vendors.ifPresent(_ -> vcpuEvents.save());
        return vendors.map(this::told).orElseGet(() -> loop.run(budget));
    }

    private RunResult told(RunResult result) {
        if (vm.events().listening()) {
            vm.events().emit(new VcpuEvent.Returned(vm.name() + ".vcpu" + id, result));
        }
        return result;
    }

    /**
     * KVM_SET_CPUID2 of a table that tells {@code model}, and of a few other things the kernel looks at.
     *
     * @param entries how many entries the table has
     * @param linearBits width of linear addresses in leaf 0x80000008
     */
    public IoctlResult setCpuid2(CpuidModel model, long entries, long linearBits) {
        vm.issued(Ioctl.SET_CPUID2);
        if (vm.dead()) {
            return IoctlResult.err(Errno.EIO, "kvm_vcpu_ioctl: the VM is dead");
        }
        return VcpuIoctls.cpuidRefusal(entries, linearBits).map(vm::answered).orElseGet(() -> setCpuid2(model));
    }

    /**
     * KVM_SET_CPUID2.
     *
     * @param model what the guest sees; its MAXPHYADDR decides between 4 and 5 levels of stage 2
     */
    public IoctlResult setCpuid2(CpuidModel model) {
        if (vm.dead()) {
            return IoctlResult.err(Errno.EIO, "kvm_vcpu_ioctl: the VM is dead");
        }
        if (everRan) {
            return cpuidMaxPhyAddr.isPresent() && model.equals(cpu.model())
                    ? IoctlResult.done()
                    : vm.answered(Check.SET_CPUID_RAN.refuse("kvm_set_cpuid: the vCPU has run with another table"));
        }
        Cpu.Image image = cpu.save();
        cpu = processor(model);
        cpu.restore(image);
        guestDebug.apply();
        cpu.interceptRsm(smm());
        loadedRoot = -1;
        cpuidMaxPhyAddr = OptionalInt.of(model.physicalBits());
        cpuidTable = Optional.empty();
        return IoctlResult.done();
    }

    /** KVM_SET_CPUID2 with a table of user space's; what the processor itself does stays with its model. */
    IoctlResult setCpuid2(CpuidTable table) {
        Optional<IoctlResult> refusal = VcpuIoctls.cpuidRefusal(table.entries().size(), table.linearBits());
        if (refusal.isPresent()) {
            return refusal.get();
        }
        if (everRan) {
            return cpuidTable.filter(table::equals).isPresent()
                    ? IoctlResult.done()
                    : Check.SET_CPUID_RAN.refuse("kvm_set_cpuid: the vCPU has run with another table");
        }
        IoctlResult result = setCpuid2(cpu.model().withPhysicalBits(Math.clamp(table.physicalBits(), 32, 52)));
        cpuidTable = Optional.of(table);
        return result;
    }

    /** The table of KVM_SET_CPUID2; empty if it is the processor's model. */
    Optional<CpuidTable> cpuidTable() {
        return cpuidTable;
    }

    /** Whether KVM_SET_CPUID2 was called. */
    boolean hasCpuid() {
        return cpuidMaxPhyAddr.isPresent();
    }

    /** cpuid_maxphyaddr: what KVM_SET_CPUID2 told, 36 before. */
    public int maxPhyAddr() {
        return cpuidMaxPhyAddr.orElse(MAXPHYADDR_WITHOUT_CPUID);
    }

    /** Whether KVM_SET_CPUID2 told of {@code feature} (guest_cpu_cap_has). */
    public boolean guestHas(CpuidModel.Feature feature) {
        return cpuidMaxPhyAddr.isPresent() && cpu.model().has(feature);
    }

    /** What KVM_SET_GUEST_DEBUG asked for. */
    public GuestDebug guestDebug() {
        return guestDebug;
    }

    /**
     * KVM_SET_GUEST_DEBUG.
     *
     * @param control KVM_GUESTDBG_*
     * @param debugreg arch.debugreg: eight values, of which 0 to 3 and 7 count, with USE_HW_BP only
     */
    public IoctlResult setGuestDebug(int control, long[] debugreg) {
        vm.issued(Ioctl.SET_GUEST_DEBUG);
        return vm.answered(guestDebug.set(control, debugreg));
    }

    /**
     * KVM_X86_SETUP_MCE.
     *
     * @param cap IA32_MCG_CAP: number of banks and capabilities
     */
    public IoctlResult setupMce(long cap) {
        vm.issued(Ioctl.X86_SETUP_MCE);
        return loop.msrs().setupMachineCheck(cap, !cpu.model().amd())
                ? IoctlResult.done()
                : vm.answered(Check.SETUP_MCE_CAP.refuse(
                        "kvm_vcpu_ioctl_x86_setup_mce: no bank, more than 32, or a capability KVM lacks"));
    }

    /** The machine-check registers. */
    MachineCheck machineCheck() {
        return loop.msrs().machineCheck();
    }

    /** KVM_GET_MSRS of one register; empty if there is none. */
    public OptionalLong msr(int index) {
        OptionalLong kept = cpu.msr(index);
        if (kept.isPresent()) {
            return kept;
        }
        return SystemManagement.ownsMsr(index) ? systemManagement.msr(index) : loop.msr(index);
    }

    /** KVM_SET_MSRS of one register; false if there is none. */
    public boolean setMsr(int index, long value) {
        if (index == IA32_APIC_BASE) {
            return vcpuEvents.setApicBase(value);
        }
        return cpu.setMsr(index, value)
                || lapic.filter(apic -> apic.ownsMsr(index) && apic.writeMsr(index, value))
                        .isPresent()
                || systemManagement.setMsr(index, value)
                || loop.msrs().hostWrite(index, value);
    }

    /** An ioctl that changes registers (KVM_SET_REGS, KVM_SET_SREGS, KVM_SET_MSRS): with the vCPU's mutex. */
    public IoctlResult setRegisters(Runnable change) {
        mutex.lock();
        try {
            if (vm.vendor().stateProtected(this)) {
                return IoctlResult.err(
                        Errno.EINVAL, "the registers of this vCPU are protected (guest_state_protected)");
            }
            boolean told = vm.seams().footprint().listening();
            long before = told ? registersHash() : 0;
            change.run();
            if (told) {
                vm.seams().footprint().wrote(registersCell(), before, registersHash());
            }
            return IoctlResult.done();
        } finally {
            mutex.unlock();
        }
    }

    /** Somebody other than the vCPU goes by its registers. */
    public void goesByRegisters() {
        if (vm.seams().footprint().listening()) {
            vm.seams().footprint().read(registersCell(), registersHash());
        }
    }

    private String registersCell() {
        return vm.name() + ".vcpu" + id + ".registers";
    }

    private long registersHash() {
        long hash = (cpu.rip() * 31 + cpu.rflags()) * 31 + cpu.cpl();
        for (int i = 0; i < 16; i++) {
            hash = hash * 31 + cpu.gpr(i);
        }
        for (int i = 0; i <= 4; i++) {
            hash = hash * 31 + (i == 1 ? 0 : cpu.cr(i));
        }
        for (int i = 0; i <= Segment.TR; i++) {
            hash = hash * 31 + cpu.segment(i).hashCode();
        }
        hash = (hash * 31 + cpu.gdtr().hashCode()) * 31 + cpu.idtr().hashCode();
        return (hash * 31 + cpu.dr(7)) * 31 + cpu.msr(MSR_EFER).orElse(0);
    }

    /** RDMSR of a register, whoever keeps it; empty for #GP. */
    public OptionalLong guestMsr(int index) {
        OptionalLong kept = cpu.msr(index);
        return kept.isPresent() ? kept : loop.msr(index);
    }

    /** WRMSR of a register that KVM emulates and the processor does not keep; false for #GP. */
    public boolean writeEmulatedMsr(int index, long value) {
        return loop.writeMsr(index, value);
    }

    /** kvm_vcpu_kick: the vCPU leaves the guest. */
    public void kick() {
        cpu.kick();
    }

    /** What only the holder of the mutex looks at. */
    private long fingerprint() {
        long flags = (everRan ? 1 : 0) | (smm() ? 2 : 0) | (guestMode ? 4 : 0) | (nestedTdp ? 8 : 0);
        return ((flags * 31 + cpuidMaxPhyAddr.orElse(0)) * 31 + mmu.fingerprint()) * 31 + run.fingerprint();
    }

    /** signal_pending(current) of the thread that uses this vCPU. */
    public boolean signalPending() {
        if (vm.seams().footprint().listening()) {
            vm.seams().footprint().read(signalCell(), signalAfter);
        }
        if (interrupted) {
            return true;
        }
        if (signalAfter > 0) {
            setSignalAfter(signalAfter - 1);
            return false;
        }
        return signalAfter == 0;
    }

    private String signalCell() {
        return vm.name() + ".vcpu" + id + ".signal";
    }

    private void setSignalAfter(long checks) {
        if (vm.seams().footprint().listening()) {
            vm.seams().footprint().wrote(signalCell(), signalAfter, checks);
        }
        signalAfter = checks;
    }

    /** Whether a signal is pending or will be after a known number of looks. */
    public boolean signalComing() {
        return signalAfter >= 0;
    }

    /** A signal arrives after {@code checks} more looks at {@link #signalPending()}; 0 is now. */
    public void sendSignal(long checks) {
        setSignalAfter(checks);
        if (checks == 0) {
            kick();
        }
    }

    /** A signal arrives now; the only method that another thread may call. */
    public void interrupt() {
        interrupted = true;
        kick();
    }

    /** The system call returns to user space, where the handler of a pending signal runs. */
    public void takeSignal() {
        interrupted = false;
        if (signalAfter == 0) {
            setSignalAfter(-1);
        }
    }

    /** In system-management mode: address space 1 and the SMM root are in use. */
    public boolean smm() {
        return systemManagement.active();
    }

    /** System-management mode of this vCPU. */
    public SystemManagement systemManagement() {
        return systemManagement;
    }

    /** KVM_SMI; where SMM is not supported the interrupt waits for ever. */
    public IoctlResult smi() {
        vm.issued(Ioctl.SMI);
        requests.make(Requests.SMI);
        kick();
        return IoctlResult.done();
    }

    /** The address space of the current mode. */
    public int addressSpace() {
        return smm() && vm.type().addressSpaces() > 1 ? 1 : 0;
    }

    /** L2 is active. */
    public boolean guestMode() {
        return guestMode;
    }

    /** L2 is active and L1 uses stage-2 paging for it: the current MMU is not the TDP one. */
    public boolean nestedTdp() {
        return guestMode && nestedTdp;
    }

    /** Enters or leaves guest mode. */
    public void setGuestMode(boolean active, boolean tdp) {
        guestMode = active;
        nestedTdp = tdp;
    }

    /** Whether the processor has logged the gfn as written, and KVM has not looked yet. */
    public boolean logged(long gfn) {
        return pml.holds(gfn);
    }

    /** Page-modification logging of this vCPU. */
    Pml pml() {
        return pml;
    }

    /** vmx_update_cpu_dirty_logging: the processor begins or ends to log. */
    void updateDirtyLogging() {
        if (pml.update()) {
            loadedRoot = -1;
        }
    }

    /** kvm_mmu_load_pgd: the processor walks the current root; what it has cached is void if pages changed their owner. */
    void loadRoot() {
        long root = mmu.rootPointer();
        Optional<HostWriteCheck> check = vm.kvm().pages().writeCheck();
        long owners = check.map(HostWriteCheck::changes).orElse(NO_OWNERS);
        if (root != loadedRoot || owners != seenOwners) {
            loadedRoot = root;
            seenOwners = owners;
            HostConfig host = vm.kvm().host();
            long encryptionBit = host.cBit() == 0 ? 0 : 1L << host.cBit();
            cpu.setSecondStage(
                    host.npt()
                            ? new SecondStage.Npt(root & ~4095L, mmu.rootLevels(), encryptionBit, check)
                            : new SecondStage.Ept(root, pml.active()));
        }
    }

    Runnable checkpoint() {
        var parts = java.util.List.of(
                run.checkpoint(),
                exits.checkpoint(),
                mmu.checkpoint(),
                loop.checkpoint(),
                pml.checkpoint(),
                vcpuEvents.checkpoint());
        Runnable savedDebug = guestDebug.checkpoint();
        Optional<Runnable> savedRing = ring.map(DirtyRing::checkpoint);
        int savedRequests = requests.bits();
        Cpu savedCpu = cpu;
        Cpu.Image image = cpu.save();
        OptionalInt savedMax = cpuidMaxPhyAddr;
        Optional<CpuidTable> savedTable = cpuidTable;
        boolean savedRan = everRan;
        long savedSignal = signalAfter;
        Runnable savedSmm = systemManagement.checkpoint();
        boolean savedGuest = guestMode;
        boolean savedNested = nestedTdp;
        Optional<Runnable> savedLapic = lapic.map(VcpuLapic::checkpoint);
        return () -> {
            parts.forEach(Runnable::run);
            savedLapic.ifPresent(Runnable::run);
            savedRing.ifPresent(Runnable::run);
            requests.restore(savedRequests);
            cpu = savedCpu;
            cpu.restore(image);
            savedDebug.run();
            cpuidMaxPhyAddr = savedMax;
            cpuidTable = savedTable;
            everRan = savedRan;
            signalAfter = savedSignal;
            savedSmm.run();
            guestMode = savedGuest;
            nestedTdp = savedNested;
            loadedRoot = -1;
        };
    }
}
