package kvasir.kvm;

import java.util.Optional;
import java.util.OptionalLong;
import kvasir.kvm.mmu.Pferr;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.DescriptorTable;
import kvasir.metal.cpu.Gpr;
import kvasir.metal.cpu.Injection;
import kvasir.metal.cpu.Segment;
import kvasir.metal.cpu.VmExit;

/** KVM_RUN of one vCPU (x86.c, kvm_arch_vcpu_ioctl_run, vcpu_run, vcpu_enter_guest; vmx.c, handle_*). */
final class RunLoop {
    private static final long HC_SEND_IPI = 10;
    private static final long HC_MAP_GPA_RANGE = 12;
    private static final long KVM_ENOSYS = 1000;
    private static final long EFER_LMA = 1 << 10;
    private static final int INVALID_OPCODE = 6;
    private static final int GENERAL_PROTECTION = 13;
    private static final int MSR_INVALID = 1;
    private static final int MSR_UNKNOWN = 2;
    private static final int MSR_FILTERED = 4;

    private static final int IA32_APIC_BASE = 0x1b;

    private static final long SYNC_REGS = 1;
    private static final long SYNC_SREGS = 1 << 1;
    private static final long SYNC_EVENTS = 1 << 2;
    private static final long SYNC_FIELDS = 7;
    private static final int SYNC_REGS_AT = 304;
    private static final int SYNC_SREGS_AT = 304 + 144;
    private static final int SYNC_EVENTS_AT = 304 + 144 + 312;

    private static final int SUBERROR_EMULATION = 1;
    private static final int SUBERROR_DELIVERY = 3;
    private static final long VECTORING_VALID = 1L << 31;
    private static final long VECTORING_HARDWARE_EXCEPTION = 3 << 8;
    private static final long EXIT_REASON_EPT_VIOLATION = 48;
    private static final long EXIT_REASON_EPT_MISCONFIG = 49;
    private static final long EXIT_REASON_NPF = 0x400;

    private final Vcpu vcpu;
    private final Vm vm;
    private final Mmio mmio;
    private final Optional<VcpuLapic> lapic;
    private final GuestMsrs msrs;
    private Pending pending = Pending.NOTHING;

    /** The read-side section of KVM_RUN. */
    private int section;

    /** Where the IN or OUT is that an exit told of; the instruction is left alone if user space goes elsewhere. */
    private long portRip;

    /** What the emulator could not do is being handled. */
    private boolean emulating;

    /** The notify window has passed; true if the guest's state is lost. */
    private Optional<Boolean> notifyPassed = Optional.empty();

    /** What the processor told of its last stage-2 exit (kvm_x86_ops.get_exit_info). */
    private record ExitInfo(long reason, long info1, long info2) {}

    private ExitInfo exitInfo = new ExitInfo(0, 0, 0);

    /** What the next KVM_RUN must finish first. */
    private enum Pending {
        NOTHING,
        IN,
        OUT,
        MMIO_READ,
        MMIO_WRITE,
        HYPERCALL,
        RDMSR,
        WRMSR
    }

    RunLoop(Vcpu vcpu) {
        this.vcpu = vcpu;
        vm = vcpu.vm();
        lapic = vcpu.lapic();
        mmio = new Mmio(vcpu);
        msrs = new GuestMsrs(() -> vcpu.cpu().model());
    }

    private Cpu cpu() {
        return vcpu.cpu();
    }

    RunResult run(long budget) {
        section = vm.srcu().readLock();
        try {
            RunResult result = enter(budget);
            storeRegs();
            vcpu.events().save();
            if (vm.events().listening()) {
                vm.events().emit(new VcpuEvent.Returned(toString(), result));
            }
            return result;
        } finally {
            vm.srcu().readUnlock(section);
        }
    }

    /** The guest, outside the read-side section: others may change slots meanwhile (vcpu_enter_guest). */
    private VmExit guest(long budget) {
        vm.srcu().readUnlock(section);
        try {
            return cpu().run(budget);
        } finally {
            section = vm.srcu().readLock();
        }
    }

    private RunResult enter(long budget) {
        KvmRun run = vcpu.kvmRun();
        if (lapic.isPresent()) {
            cpu().setClock(vm.now());
            if (lapic.get().state() == MpState.UNINITIALIZED) {
                return wait(lapic.get());
            }
        }
        Optional<RunResult> wrong = takeRegs();
        if (wrong.isPresent()) {
            return wrong.get();
        }
        Optional<RunResult> early = complete();
        if (early.isPresent()) {
            return early.get();
        }
        if (run.immediateExit()) {
            return new RunResult.Refused(Check.RUN_IMMEDIATE_EXIT, "kvm_arch_vcpu_ioctl_run: immediate_exit is set");
        }
        run.setExitReason(ExitReason.UNKNOWN);
        if (notifyPassed.isPresent()) {
            Optional<RunResult> told = tellNotifyWindow();
            if (told.isPresent()) {
                return told.get();
            }
        }
        long end = cpu().clock() + budget;
        int standing = 0;
        while (true) {
            if (vcpu.signalPending()) {
                vcpu.takeSignal();
                run.setExitReason(ExitReason.INTR);
                return new RunResult.Refused(Check.RUN_SIGNAL, "vcpu_run: a signal is pending");
            }
            Optional<RunResult> blocked = prepareEntry();
            if (blocked.isPresent()) {
                return blocked.get();
            }
            if (vm.processors().isPresent()) {
                cpu().setClock(vm.now());
            }
            Optional<RunResult> apicExit = lapic.flatMap(this::tellUser);
            if (apicExit.isPresent()) {
                return apicExit.get();
            }
            vm.tick(cpu().clock());
            long left = end - cpu().clock();
            if (left <= 0) {
                return new RunResult.BudgetSpent(budget);
            }
            if (lapic.isPresent()) {
                VcpuLapic apic = lapic.get();
                if (!apic.enter()) {
                    return new RunResult.Descheduled(apic.state());
                }
                if (vcpu.requests().test(Requests.SMI)) {
                    // it came with the time that has just passed
                    continue;
                }
                left = Math.min(left, apic.untilDeadline());
            }
            if (vcpu.events().enter().isPresent()) {
                return exited().orElseThrow();
            }
            vm.seams().footprint().beyond("a guest runs");
            vm.seams().at(Seam.GUEST_ENTRY, this);
            long before = cpu().clock();
            VmExit exit = guest(left);
            vcpu.pml().drain();
            standing = refusedByReverseMap(exit) ? standing + 1 : 0;
            if (standing > 0 && endless(standing)) {
                return new RunResult.BudgetSpent(budget);
            }
            if (vm.events().listening()) {
                vm.events().emit(new VcpuEvent.Left(toString(), cpu().rip(), exit));
            }
            if (exit instanceof VmExit.Budget) {
                if (lapic.isEmpty()) {
                    return new RunResult.BudgetSpent(budget);
                }
                // exceptions delivered take time too
                cpu().setClock(before + left);
                continue;
            }
            lapic.ifPresent(VcpuLapic::exitTakesTime);
            vm.tick(cpu().clock());
            Optional<RunResult> result = handle(exit);
            if (result.isPresent()) {
                return result.get();
            }
            if (vcpu.events().windowOpen()) {
                run.setExitReason(ExitReason.IRQ_WINDOW_OPEN);
                return exited().orElseThrow();
            }
        }
    }

    private static boolean refusedByReverseMap(VmExit exit) {
        return exit instanceof VmExit.NestedPageFault fault && (fault.errorCode() & Pferr.GUEST_RMP) != 0;
    }

    /** KVM has nothing to repair in a plain guest's fault on the reverse map: it enters again, until others change that. */
    private boolean endless(int times) {
        try {
            vm.seams().spin(this, times);
            return false;
        } catch (Seams.Livelock endless) {
            vcpu.exits().count(ExitCounters.Cause.NPF);
            return true;
        }
    }

    /** KVM_REQ_REPORT_TPR_ACCESS and KVM_REQ_IOAPIC_EOI_EXIT. */
    private Optional<RunResult> tellUser(VcpuLapic apic) {
        Optional<VcpuLapic.TprAccess> access = apic.takeTprAccess();
        if (access.isPresent()) {
            vcpu.kvmRun().tprAccess(access.get().rip(), access.get().write());
            return exited();
        }
        int vector = apic.apic().takeEoi();
        if (vector >= 0) {
            vcpu.kvmRun().ioapicEoi(vector);
            return exited();
        }
        return Optional.empty();
    }

    /** KVM_RUN of a vCPU that waits for INIT: it is to be called again (EAGAIN), or sleeps on. */
    private RunResult wait(VcpuLapic apic) {
        if (vcpu.kvmRun().immediateExit()) {
            return new RunResult.Refused(Check.RUN_IMMEDIATE_EXIT, "kvm_arch_vcpu_ioctl_run: immediate_exit is set");
        }
        boolean woken = apic.woken();
        if (vcpu.signalPending()) {
            vcpu.takeSignal();
            vcpu.kvmRun().setExitReason(ExitReason.INTR);
            return new RunResult.Refused(Check.RUN_SIGNAL, "kvm_arch_vcpu_ioctl_run: a signal is pending");
        }
        return woken
                ? new RunResult.Refused(Check.RUN_WAKE, "kvm_arch_vcpu_ioctl_run: INIT has woken the vCPU")
                : new RunResult.Descheduled(apic.state());
    }

    /** kvm_valid_regs, kvm_dirty_regs and cr8 of kvm_run: what user space changed without an ioctl (sync_regs). */
    private Optional<RunResult> takeRegs() {
        KvmRun run = vcpu.kvmRun();
        long dirty = run.dirtyRegs();
        if (((run.validRegs() | dirty) & ~SYNC_FIELDS) != 0) {
            return Optional.of(new RunResult.Refused(
                    Check.RUN_SYNC_REGS,
                    "kvm_arch_vcpu_ioctl_run: an unknown bit in kvm_valid_regs or kvm_dirty_regs"));
        }
        boolean good = true;
        if ((dirty & SYNC_REGS) != 0) {
            vcpu.registers().setRegs(AbiStruct.readFrom(run, SYNC_REGS_AT, VcpuRegisters.REGS));
        }
        if ((dirty & SYNC_SREGS) != 0) {
            good = vcpu.registers()
                    .setSregs(AbiStruct.readFrom(run, SYNC_SREGS_AT, VcpuRegisters.SREGS))
                    .succeeded();
        }
        if (good && (dirty & SYNC_EVENTS) != 0) {
            good = vcpu.events()
                    .set(AbiStruct.readFrom(run, SYNC_EVENTS_AT, VcpuEvents.LAYOUT))
                    .succeeded();
        }
        if (!good) {
            return Optional.of(new RunResult.Refused(
                    Check.RUN_SYNC_STATE, "sync_regs: the registers or events in kvm_run are not valid"));
        }
        run.regsTaken();
        if (lapic.isEmpty()) {
            if (run.cr8() >>> 4 != 0) {
                return Optional.of(new RunResult.Refused(Check.RUN_CR8, "kvm_set_cr8: cr8 in kvm_run is above 15"));
            }
            cpu().setCr(8, run.cr8());
        }
        return Optional.empty();
    }

    /** store_regs. */
    private void storeRegs() {
        KvmRun run = vcpu.kvmRun();
        long valid = run.validRegs();
        if ((valid & SYNC_REGS) != 0) {
            vcpu.registers().regs().writeTo(run, SYNC_REGS_AT);
        }
        if ((valid & SYNC_SREGS) != 0) {
            vcpu.registers().sregs().writeTo(run, SYNC_SREGS_AT);
        }
        if ((valid & SYNC_EVENTS) != 0) {
            vcpu.events().get().writeTo(run, SYNC_EVENTS_AT);
        }
    }

    /** The next KVM_RUN meets the VM exit of the notify window. */
    void passNotifyWindow(boolean contextInvalid) {
        notifyPassed = Optional.of(contextInvalid);
    }

    /** handle_notify. */
    private Optional<RunResult> tellNotifyWindow() {
        boolean contextInvalid = notifyPassed.orElse(false);
        notifyPassed = Optional.empty();
        vcpu.exits().count(ExitCounters.Cause.NOTIFY);
        if (!contextInvalid && !vm.exitRules().notifyUser()) {
            return Optional.empty();
        }
        vcpu.kvmRun().notifyWindow(contextInvalid);
        return exited();
    }

    /** The completion callback of the previous exit (vcpu->arch.complete_userspace_io). */
    private Optional<RunResult> complete() {
        KvmRun run = vcpu.kvmRun();
        boolean port = pending == Pending.IN || pending == Pending.OUT;
        Pending what = port && linearRip() != portRip ? Pending.NOTHING : pending;
        pending = Pending.NOTHING;
        switch (what) {
            case NOTHING -> {}
            case IN -> {
                cpu().completeIn(run.ioData());
                // INS whose destination is MMIO
                if (mmio.exitForWrite()) {
                    return exitMmio(Pending.MMIO_WRITE);
                }
            }
            case OUT -> cpu().completeOut();
            case HYPERCALL -> {
                long value = run.hypercallRet();
                cpu().setGpr(Gpr.RAX, longMode() ? value : value & 0xffff_ffffL);
                cpu().skip();
            }
            case RDMSR, WRMSR -> completeMsr(what == Pending.RDMSR);
            case MMIO_READ -> {
                mmio.takeRead();
                if (mmio.exitForRead()) {
                    return exitMmio(Pending.MMIO_READ);
                }
                return emulate();
            }
            case MMIO_WRITE -> {
                if (mmio.exitForWrite()) {
                    return exitMmio(Pending.MMIO_WRITE);
                }
            }
        }
        return Optional.empty();
    }

    /** kvm_get_linear_rip. */
    private long linearRip() {
        return longMode() ? cpu().rip() : cpu().segment(Segment.CS).base() + cpu().rip() & 0xffff_ffffL;
    }

    private Optional<RunResult> prepareEntry() {
        Requests requests = vcpu.requests();
        if (requests.test(Requests.VM_DEAD)) {
            return refused(Errno.EIO, "vcpu_enter_guest: the VM is dead");
        }
        if (requests.check(Requests.UPDATE_CPU_DIRTY_LOGGING)) {
            vcpu.updateDirtyLogging();
        }
        vcpu.systemManagement().service();
        if (vcpu.dirtyRing().filter(DirtyRing::softFull).isPresent()) {
            vcpu.kvmRun().setExitReason(ExitReason.DIRTY_RING_FULL);
            return exited();
        }
        if (!vcpu.vm().kvm().host().tdp()) {
            return Optional.of(new RunResult.Unsupported("shadow paging: a guest on a host without TDP"));
        }
        if (vcpu.guestMode()) {
            return Optional.of(new RunResult.Unsupported("running L2: only the choice of its MMU is modelled"));
        }
        int error = vcpu.mmu().reload();
        if (error != 0) {
            return refused(Errno.of(error), "kvm_mmu_reload: no root could be loaded");
        }
        vcpu.loadRoot();
        if (requests.check(Requests.TLB_FLUSH)) {
            cpu().flushTranslations();
        }
        return Optional.empty();
    }

    private Optional<RunResult> handle(VmExit exit) {
        ExitCounters exits = vcpu.exits();
        return switch (exit) {
            case VmExit.EptViolation violation -> {
                exits.count(ExitCounters.Cause.EPT_VIOLATION);
                exitInfo = new ExitInfo(EXIT_REASON_EPT_VIOLATION, violation.qualification(), 0);
                yield stageTwo(violation.gpa(), violation.linear(), errorCode(violation.qualification()));
            }
            case VmExit.EptMisconfig misconfig -> {
                exits.count(ExitCounters.Cause.EPT_MISCONFIG);
                exitInfo = new ExitInfo(EXIT_REASON_EPT_MISCONFIG, 0, 0);
                if (vm.platform().eventFds().fastWrite(misconfig.gpa())) {
                    // handle_ept_misconfig: neither length nor value are looked at
                    cpu().skip();
                    yield Optional.empty();
                }
                yield stageTwo(misconfig.gpa(), 0, Pferr.RSVD);
            }
            case VmExit.LogFull _ -> {
                exits.count(ExitCounters.Cause.PML_FULL);
                yield Optional.empty();
            }
            case VmExit.NestedPageFault fault -> {
                exits.count(ExitCounters.Cause.NPF);
                exitInfo = new ExitInfo(EXIT_REASON_NPF, fault.errorCode(), fault.gpa());
                yield stageTwo(fault.gpa(), fault.linear(), fault.errorCode());
            }
            case VmExit.Hlt _ -> {
                exits.count(ExitCounters.Cause.HLT);
                if (lapic.isPresent()) {
                    lapic.get().setState(MpState.HALTED);
                    yield Optional.empty();
                }
                vcpu.kvmRun().setExitReason(ExitReason.HLT);
                yield exited();
            }
            case VmExit.Io io -> {
                exits.count(ExitCounters.Cause.IO);
                if (lapic.isPresent() && lapic.get().ownsPort(io.port())) {
                    portInKernel(lapic.get(), io);
                    yield Optional.empty();
                }
                long value = Integer.toUnsignedLong(io.value());
                boolean taken = !io.in()
                        && (vm.platform().eventFds().write(io.port(), io.bytes(), value, true)
                                || vm.coalescedMmio().write(io.port(), io.bytes(), value, true));
                if (taken) {
                    cpu().completeOut();
                    yield Optional.empty();
                }
                vcpu.kvmRun().io(io.in(), io.bytes(), io.port(), io.value());
                pending = io.in() ? Pending.IN : Pending.OUT;
                portRip = linearRip();
                yield exited();
            }
            case VmExit.Cpuid cpuid -> {
                exits.count(ExitCounters.Cause.CPUID);
                if (msrs.cpuidFaults() && cpu().cpl() != 0) {
                    cpu().inject(new Injection.GuestException(GENERAL_PROTECTION, 0));
                    yield Optional.empty();
                }
                GuestCpuid.answer(vcpu, cpuid.leaf(), cpuid.subleaf());
                cpu().skip();
                yield Optional.empty();
            }
            case VmExit.Rdmsr msr -> {
                exits.count(ExitCounters.Cause.RDMSR);
                yield afterMsr(allowed(msr.index(), MsrFilter.READ) && readMsr(msr.index()), false, msr.index(), 0);
            }
            case VmExit.Wrmsr msr -> {
                exits.count(ExitCounters.Cause.WRMSR);
                yield afterMsr(
                        allowed(msr.index(), MsrFilter.WRITE) && writeMsr(msr.index(), msr.value()),
                        true,
                        msr.index(),
                        msr.value());
            }
            case VmExit.Hypercall _ -> {
                exits.count(ExitCounters.Cause.HYPERCALL);
                yield hypercall();
            }
            case VmExit.TripleFault _ -> {
                exits.count(ExitCounters.Cause.TRIPLE_FAULT);
                vcpu.kvmRun().setExitReason(ExitReason.SHUTDOWN);
                yield exited();
            }
            case VmExit.Interrupted _ -> {
                exits.count(ExitCounters.Cause.INTERRUPT);
                yield Optional.empty();
            }
            case VmExit.Debug debug -> debugged(debug);
            case VmExit.Stopped stopped ->
                stopped.stop() == VmExit.Stop.STEP && vcpu.guestDebug().steps()
                        ? debugged(GuestDebug.stepped())
                        : Optional.of(new RunResult.Stopped(stopped));
            case VmExit.Cr8Write write -> {
                if (lapic.isEmpty() && write.value() < write.before()) {
                    vcpu.kvmRun().setExitReason(ExitReason.SET_TPR);
                    yield exited();
                }
                lapic.ifPresent(apic -> apic.taskPriority(write.value()));
                yield Optional.empty();
            }
            case VmExit.Rsm _ -> {
                if (vcpu.systemManagement().leave()) {
                    yield Optional.empty();
                }
                vcpu.kvmRun().setExitReason(ExitReason.SHUTDOWN);
                yield exited();
            }
            case VmExit.BusLock _ -> {
                exits.count(ExitCounters.Cause.BUS_LOCK);
                vcpu.kvmRun().setExitReason(ExitReason.BUS_LOCK);
                vcpu.kvmRun().setBusLock();
                yield exited();
            }
            case VmExit.InterruptWindow _ -> {
                exits.count(ExitCounters.Cause.INTERRUPT_WINDOW);
                yield Optional.empty();
            }
            case VmExit.Pause _ -> Optional.of(new RunResult.Descheduled(MpState.RUNNABLE));
            case VmExit.Emulated _, VmExit.Budget _ -> Optional.empty();
            case VmExit.MmioPending _ -> {
                mmio.exitForRead();
                yield exitMmio(Pending.MMIO_READ);
            }
            case VmExit.ControlWrite write ->
                unsupported("a guard of CR" + write.register() + " in a guest that is not a TD");
            case VmExit.Tdcall _ -> unsupported("TDCALL in a guest that is not a TD");
            case VmExit.Vmgexit _ -> unsupported("VMGEXIT in a guest without SEV-ES");
            case VmExit.Unsupported what -> unsupported(what.what());
        };
    }

    private Optional<RunResult> debugged(VmExit.Debug exit) {
        vcpu.exits().count(ExitCounters.Cause.DEBUG);
        vcpu.guestDebug().exit(exit, cpu().segment(Segment.CS).base() + cpu().rip());
        return exited();
    }

    private void portInKernel(VcpuLapic apic, VmExit.Io io) {
        if (io.in()) {
            cpu().completeIn(apic.readPort(io.port()));
        } else {
            apic.writePort(io.port(), io.value());
            cpu().completeOut();
        }
    }

    /** kvm_get_msr of a register that the processor does not keep; empty for #GP. */
    OptionalLong msr(int index) {
        if (SystemManagement.ownsMsr(index)) {
            return vcpu.systemManagement().guestMsr(index);
        }
        if (lapic.isPresent() && lapic.get().ownsMsr(index)) {
            return lapic.get().readMsr(index);
        }
        return index == IA32_APIC_BASE ? OptionalLong.of(vcpu.events().apicBase()) : msrs.value(index);
    }

    private boolean readMsr(int index) {
        OptionalLong value = msr(index);
        value.ifPresent(v -> {
            cpu().setGpr(Gpr.RAX, v & 0xffff_ffffL);
            cpu().setGpr(Gpr.RDX, v >>> 32);
        });
        return value.isPresent();
    }

    /** kvm_set_msr of a register that the processor does not keep; false for #GP. */
    boolean writeMsr(int index, long value) {
        if (lapic.isEmpty() && index == IA32_APIC_BASE) {
            return vcpu.events().setApicBase(value);
        }
        return lapic.isPresent() && lapic.get().ownsMsr(index)
                ? lapic.get().writeMsr(index, value)
                : msrs.write(index, value);
    }

    /** vmx_handle_ept_violation: how the exit qualification becomes an error code. */
    private static long errorCode(long qualification) {
        long code = 0;
        code |= (qualification & 1) != 0 ? Pferr.USER : 0;
        code |= (qualification & 2) != 0 ? Pferr.WRITE : 0;
        code |= (qualification & 4) != 0 ? Pferr.FETCH : 0;
        code |= (qualification & 0x38) != 0 ? Pferr.PRESENT : 0;
        if ((qualification & 0x80) != 0) {
            code |= (qualification & 0x100) != 0 ? Pferr.GUEST_FINAL : Pferr.GUEST_PAGE;
        }
        return code;
    }

    private Optional<RunResult> stageTwo(long gpa, long linear, long errorCode) {
        int result = vcpu.mmu().pageFault(gpa, errorCode);
        if (result < 0) {
            Errno errno = Errno.of(result);
            if (vcpu.kvmRun().reason() == ExitReason.MEMORY_FAULT) {
                return Optional.of(
                        new RunResult.MemoryFault(errno, vcpu.kvmRun().fields()));
            }
            String why = "kvm_mmu_page_fault: gpa 0x%x".formatted(gpa);
            return errno == Errno.EFAULT
                    ? Optional.of(new RunResult.Refused(Check.RUN_HOST, why))
                    : refused(errno, why);
        }
        if (result != VcpuMmu.EMULATE && result != VcpuMmu.WRITE_PROTECTED) {
            return Optional.empty();
        }
        if ((errorCode & Pferr.GUEST_FINAL) != 0 && inIdt(linear)) {
            return vectoringFailed(gpa, linear);
        }
        boolean fetchOrWalk = (errorCode & (Pferr.FETCH | Pferr.GUEST_PAGE)) != 0;
        if (fetchOrWalk && !vm.memslots(vcpu.addressSpace()).lookup(gpa >>> 12).exists()) {
            return emulationFailed();
        }
        if (emulating) {
            return Optional.of(new RunResult.Unsupported(
                    "guest page tables at gpa 0x%x, which cannot be written, with an A or D bit to be set"
                            .formatted(gpa)));
        }
        return emulate();
    }

    /** x86_emulate_instruction of one instruction, whose accesses may be MMIO. */
    private Optional<RunResult> emulate() {
        lapic.ifPresent(apic -> apic.instructionAt(cpu().rip()));
        VmExit exit = cpu().emulate(mmio);
        vcpu.pml().drain();
        if (exit instanceof VmExit.MmioPending) {
            return handle(exit);
        }
        mmio.forget();
        if (exit instanceof VmExit.Emulated) {
            return mmio.exitForWrite() ? exitMmio(Pending.MMIO_WRITE) : Optional.empty();
        }
        emulating = true;
        try {
            return handle(exit);
        } finally {
            emulating = false;
        }
    }

    private Optional<RunResult> exitMmio(Pending completion) {
        vcpu.exits().count(ExitCounters.Cause.MMIO);
        pending = completion;
        return exited();
    }

    /** Whether the access was to the IDT: an event was being delivered (is_event_vectoring). */
    private boolean inIdt(long linear) {
        DescriptorTable idt = cpu().idtr();
        return idt.limit() != 0 && Long.compareUnsigned(linear - idt.base(), idt.limit()) <= 0;
    }

    /** kvm_prepare_event_vectoring_exit: an event cannot be delivered because its gate is in MMIO. */
    private Optional<RunResult> vectoringFailed(long gpa, long linear) {
        long vector = (linear - cpu().idtr().base()) / (longMode() ? 16 : 8);
        vcpu.kvmRun()
                .internalError(
                        SUBERROR_DELIVERY,
                        VECTORING_VALID | VECTORING_HARDWARE_EXCEPTION | vector,
                        exitInfo.reason,
                        exitInfo.info1,
                        gpa,
                        0);
        return exited();
    }

    /** handle_emulation_failure: the guest gets #UD; user space is told if CPL is 0, or if it asked for all of them. */
    private Optional<RunResult> emulationFailed() {
        if (!vm.exitRules().emulationFailures()) {
            cpu().inject(new Injection.GuestException(INVALID_OPCODE, 0));
            if (cpu().cpl() != 0) {
                return Optional.empty();
            }
        }
        // no instruction bytes: the flags are the first entry, get_exit_info the next five
        vcpu.kvmRun().internalError(SUBERROR_EMULATION, 0, exitInfo.reason, exitInfo.info1, exitInfo.info2, 0, 0);
        return exited();
    }

    /** kvm_emulate_hypercall. */
    private Optional<RunResult> hypercall() {
        long mask = longMode() ? -1L : 0xffff_ffffL;
        long number = cpu().gpr(Gpr.RAX) & mask;
        long gpa = cpu().gpr(Gpr.RBX) & mask;
        long pages = cpu().gpr(Gpr.RCX) & mask;
        long attributes = cpu().gpr(Gpr.RDX) & mask;
        long answer = -KVM_ENOSYS;
        if (cpu().cpl() != 0) {
            answer = -Errno.EPERM.number();
        } else if (number == HC_MAP_GPA_RANGE && vm.exitsOnMapGpaRange()) {
            boolean overflows = pages == 0
                    || Long.compareUnsigned((gpa >>> 12) + pages, gpa >>> 12) <= 0
                    || Long.compareUnsigned(pages, 1L << 52) > 0;
            if ((gpa & 4095) == 0 && !overflows) {
                vcpu.kvmRun().hypercall(number, gpa, pages, attributes, longMode());
                pending = Pending.HYPERCALL;
                return exited();
            }
            answer = -Errno.EINVAL.number();
        }
        if (number == HC_SEND_IPI && cpu().cpl() == 0 && lapic.isPresent()) {
            answer = lapic.get().sendIpis(gpa, pages, attributes, cpu().gpr(Gpr.RSI) & mask, longMode());
        }
        cpu().setGpr(Gpr.RAX, answer & mask);
        cpu().skip();
        return Optional.empty();
    }

    private boolean allowed(int index, int access) {
        return vm.exitRules().msrFilter().allows(index, access);
    }

    /** An MSR access that KVM refuses goes to user space if that asked for its kind (kvm_msr_user_space), else #GP(0). */
    private Optional<RunResult> afterMsr(boolean done, boolean write, int index, long value) {
        if (done) {
            cpu().skip();
            return Optional.empty();
        }
        boolean known = SystemManagement.ownsMsr(index)
                || msrs.value(index).isPresent()
                || lapic.isPresent() && lapic.get().ownsMsr(index);
        boolean filtered = !allowed(index, write ? MsrFilter.WRITE : MsrFilter.READ);
        int reason = filtered ? MSR_FILTERED : known ? MSR_INVALID : MSR_UNKNOWN;
        if ((vm.exitRules().msrReasons() & reason) != 0) {
            vcpu.kvmRun().msr(write, reason, index, value);
            pending = write ? Pending.WRMSR : Pending.RDMSR;
            return exited();
        }
        cpu().inject(new Injection.GuestException(GENERAL_PROTECTION, 0));
        return Optional.empty();
    }

    /** complete_emulated_rdmsr and complete_fast_msr_access. */
    private void completeMsr(boolean read) {
        KvmRun run = vcpu.kvmRun();
        if (run.msrError()) {
            cpu().inject(new Injection.GuestException(GENERAL_PROTECTION, 0));
            return;
        }
        if (read) {
            cpu().setGpr(Gpr.RAX, run.msrData() & 0xffff_ffffL);
            cpu().setGpr(Gpr.RDX, run.msrData() >>> 32);
        }
        cpu().skip();
    }

    private boolean longMode() {
        return (cpu().msr(0xc000_0080).orElse(0) & EFER_LMA) != 0
                && cpu().segment(Segment.CS).longMode();
    }

    private Optional<RunResult> exited() {
        return Optional.of(
                new RunResult.Exited(vcpu.kvmRun().reason(), vcpu.kvmRun().fields()));
    }

    private static Optional<RunResult> refused(Errno errno, String why) {
        return Optional.of(new RunResult.Refused(errno, why));
    }

    private static Optional<RunResult> unsupported(String what) {
        return Optional.of(new RunResult.Unsupported(what));
    }

    GuestMsrs msrs() {
        return msrs;
    }

    Runnable checkpoint() {
        Pending saved = pending;
        long savedRip = portRip;
        Optional<Boolean> savedNotify = notifyPassed;
        Runnable savedMmio = mmio.checkpoint();
        Runnable savedMsrs = msrs.checkpoint();
        return () -> {
            pending = saved;
            portRip = savedRip;
            notifyPassed = savedNotify;
            savedMmio.run();
            savedMsrs.run();
        };
    }

    @Override
    public String toString() {
        return vm.name() + ".vcpu" + vcpu.id();
    }
}
