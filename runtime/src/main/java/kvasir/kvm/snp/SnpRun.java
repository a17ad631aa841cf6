package kvasir.kvm.snp;

import java.util.Optional;
import kvasir.kvm.Errno;
import kvasir.kvm.ExitCounters;
import kvasir.kvm.ExitReason;
import kvasir.kvm.KvmRun;
import kvasir.kvm.Memslot;
import kvasir.kvm.MpState;
import kvasir.kvm.Requests;
import kvasir.kvm.RunResult;
import kvasir.kvm.Seam;
import kvasir.kvm.Seams;
import kvasir.kvm.Vcpu;
import kvasir.kvm.VcpuEvent;
import kvasir.kvm.VcpuLapic;
import kvasir.kvm.VcpuMmu;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.Pferr;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.SecondStage;
import kvasir.metal.cpu.VmExit;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.Rmp;
import kvasir.metal.snp.RmpCheck;
import kvasir.metal.snp.Rule;
import kvasir.metal.snp.Rules;
import kvasir.metal.snp.SnpProcessor;
import kvasir.metal.snp.Vmsa;
import kvasir.metal.snp.VmsaState;

/** KVM_RUN of one vCPU of an SNP guest (svm.c, svm_vcpu_run and svm_handle_exit; sev.c). */
final class SnpRun {
    /** #VMEXIT code of a VMRUN whose state is invalid. */
    private static final long VMEXIT_INVALID = -1;

    /** #VMEXIT code of a VMRUN whose VMSA another processor runs. */
    private static final long VMEXIT_BUSY = -2;

    private static final int UNEXPECTED_EXIT_REASON = 4;
    private static final int VMPLS = 4;
    private static final long NO_PAGE = -1;

    private final SnpVm snp;
    private final Vm vm;
    private final Vcpu vcpu;
    private final GhcbEvents events;
    private final VmsaState state;
    private Optional<SnpProcessor> processor = Optional.empty();
    private Cpu cpu;
    private long rmpChanges = -1;
    private long root = -1;
    private long vmsa;
    private long nextVmsaGpa = NO_PAGE;
    private boolean waitsForReset;
    private boolean receivedFirstSipi;
    private long faultGpa;
    private long faultInfo;

    /** @param vmsa host address of the VMSA that SNP_LAUNCH_UPDATE added for the vCPU */
    SnpRun(SnpVm snp, Vcpu vcpu, long vmsa) {
        this.snp = snp;
        this.vm = snp.vm();
        this.vcpu = vcpu;
        this.vmsa = vmsa;
        cpu = vcpu.cpu();
        state = new VmsaState(vm.kvm().memory(), snp.host().rules());
        events = new GhcbEvents(snp, vcpu);
    }

    private Rmp rmp() {
        return snp.host().rmp();
    }

    /** The processor's SNP part. */
    SnpProcessor processor() {
        if (processor.isEmpty() || cpu != vcpu.cpu()) {
            cpu = vcpu.cpu();
            var fresh = new SnpProcessor(cpu, rmp(), snp.host().rules(), snp.asid());
            fresh.setGhcb(GhcbMsr.sevInformation(snp.ghcbVersion()));
            processor = Optional.of(fresh);
            root = -1;
        }
        return processor.get();
    }

    /** Host address of the VMSA in use; -1 after the guest destroyed the vCPU. */
    long vmsa() {
        return vmsa;
    }

    /** EXITINFO2 of the last nested page fault: its gpa; 0 before the first. */
    long faultGpa() {
        return faultGpa;
    }

    /** EXITINFO1 of the last nested page fault: its error code; 0 before the first. */
    long faultInfo() {
        return faultInfo;
    }

    /** GPA of the GHCB that the guest registered; -1 before. */
    long registeredGhcb() {
        return events.registered();
    }

    /**
     * The part of AP creation on the vCPU's side: the VMSA at {@code gpa} is used from the next reset on, or at once.
     *
     * @param gpa -1 to take the vCPU's VMSA away
     * @param now whether it does not wait for an INIT
     */
    void setNextVmsa(long gpa, boolean now) {
        nextVmsaGpa = gpa;
        waitsForReset = true;
        if (now) {
            vcpu.requests().make(Requests.UPDATE_PROTECTED_GUEST_STATE);
            vcpu.kick();
        }
    }

    /** The guest's own INIT and SIPI: the first SIPI starts what LAUNCH_FINISH put into the VMSA. */
    void deliverSipi() {
        if (receivedFirstSipi) {
            events.wakeFromResetHold();
        }
        receivedFirstSipi = true;
    }

    /** sev_snp_init_protected_guest_state: what an INIT does, or an AP creation that does not wait for one. */
    void reset() {
        if (!waitsForReset) {
            return;
        }
        findVmsa();
        vcpu.setMpState(vmsa == NO_PAGE ? MpState.HALTED : MpState.RUNNABLE);
    }

    private void findVmsa() {
        waitsForReset = false;
        long gpa = nextVmsaGpa;
        vmsa = NO_PAGE;
        if (gpa == NO_PAGE) {
            return;
        }
        nextVmsaGpa = NO_PAGE;
        Memslot slot = vm.memslots(0).lookup(gpa >>> 12);
        if (!slot.exists() || slot.gmem().isEmpty()) {
            return;
        }
        long word = slot.gmem().get().getPfn(slot, gpa >>> 12);
        if (word >= 0) {
            vmsa = kvasir.kvm.mm.Pfn.pfn(word) << 12;
            state.forget();
        }
    }

    RunResult run(long budget) {
        KvmRun run = vcpu.kvmRun();
        if (vm.seams().footprint().listening()) {
            vm.seams().footprint().beyond("a guest runs");
        }
        processor();
        if (vcpu.lapic().isPresent()) {
            cpu.setClock(vm.now());
        }
        Optional<RunResult> again = events.complete();
        if (again.isPresent()) {
            return again.get();
        }
        if (run.immediateExit()) {
            return new RunResult.Refused(Errno.EINTR, "kvm_arch_vcpu_ioctl_run: immediate_exit is set");
        }
        run.setExitReason(ExitReason.UNKNOWN);
        try {
            return loop(run, budget);
        } catch (Seams.Livelock endless) {
            return new RunResult.BudgetSpent(budget);
        }
    }

    private RunResult loop(KvmRun run, long budget) {
        long end = cpu.clock() + budget;
        long retired = -1;
        int standing = 0;
        while (true) {
            standing = retired == cpu.retired() ? standing + 1 : 0;
            retired = cpu.retired();
            vm.seams().spin(this, standing);
            if (vcpu.signalPending()) {
                vcpu.takeSignal();
                run.setExitReason(ExitReason.INTR);
                return new RunResult.Refused(Errno.EINTR, "vcpu_run: a signal is pending");
            }
            Optional<RunResult> refused = prepareEntry();
            if (refused.isPresent()) {
                return refused.get();
            }
            vm.tick(cpu.clock());
            long left = end - cpu.clock();
            if (left <= 0) {
                return new RunResult.BudgetSpent(budget);
            }
            if (vmsa != NO_PAGE && invalidState() == 0) {
                loadState(); // whether it takes an interrupt is told by the VMSA
            }
            if (vcpu.lapic().isPresent()) {
                VcpuLapic apic = vcpu.lapic().get();
                if (!apic.enter()) {
                    return new RunResult.Descheduled(apic.state());
                }
                left = Math.min(left, apic.untilDeadline());
            }
            if (vmsa == NO_PAGE) {
                return new RunResult.Refused(Errno.EINVAL, "pre_sev_run: the vCPU has no valid VMSA");
            }
            if (vcpu.events().enter().isPresent()) {
                return exited().orElseThrow();
            }
            vm.seams().at(Seam.GUEST_ENTRY, this);
            Optional<RunResult> result = enter(left, budget);
            if (result.isPresent()) {
                return result.get();
            }
            if (vcpu.events().windowOpen()) {
                run.setExitReason(ExitReason.IRQ_WINDOW_OPEN);
                return exited().orElseThrow();
            }
        }
    }

    private Optional<RunResult> prepareEntry() {
        if (vcpu.requests().test(Requests.VM_DEAD)) {
            return refused(Errno.EIO, "vcpu_enter_guest: the VM is dead");
        }
        int error = vcpu.mmu().reload();
        if (error != 0) {
            return refused(Errno.of(error), "kvm_mmu_reload: no root could be loaded");
        }
        if (vcpu.requests().check(Requests.UPDATE_PROTECTED_GUEST_STATE)) {
            reset();
        }
        return Optional.empty();
    }

    private static Optional<RunResult> refused(Errno errno, String why) {
        return Optional.of(new RunResult.Refused(errno, why));
    }

    private Optional<RunResult> enter(long left, long budget) {
        loadRoot();
        long invalid = invalidState();
        if (invalid != 0) {
            vcpu.kvmRun().failEntry(invalid, 0);
            return exited();
        }
        events.unmap();
        loadState();
        processor()
                .enter(
                        vm.kvm().memory().read8(vmsa + Vmsa.VMPL),
                        vm.kvm().memory().read64(vmsa + Vmsa.SEV_FEATURES));
        forgetOldTranslations();
        long before = cpu.clock();
        rmp().running(vmsa, true);
        VmExit exit = cpu.run(left);
        rmp().running(vmsa, false);
        if (vm.events().listening()) {
            vm.events().emit(new VcpuEvent.Left(toString(), cpu.rip(), exit));
        }
        if (exit instanceof VmExit.Vmgexit) {
            cpu.skip();
        }
        state.store(vmsa, cpu);
        if (exit instanceof VmExit.Budget) {
            if (vcpu.lapic().isEmpty()) {
                return Optional.of(new RunResult.BudgetSpent(budget));
            }
            cpu.setClock(before + left); // exceptions delivered take time too
            return Optional.empty();
        }
        vcpu.lapic().ifPresent(VcpuLapic::exitTakesTime);
        vm.tick(cpu.clock());
        return handle(exit);
    }

    private void loadState() {
        rmp().enterGuestKey(vmsa);
        state.load(vmsa, cpu);
    }

    /** RMPUPDATE and its kin invalidate TLB entries on all processors. */
    private void forgetOldTranslations() {
        boolean flush = vcpu.requests().check(Requests.TLB_FLUSH);
        if (flush || rmpChanges != rmp().changes()) {
            rmpChanges = rmp().changes();
            cpu.flushTranslations();
        }
    }

    private void loadRoot() {
        long pointer = vcpu.mmu().rootPointer();
        if (pointer != root || !(cpu.secondStage() instanceof SecondStage.Sev)) {
            root = pointer;
            cpu.setSecondStage(new SecondStage.Sev(pointer & ~4095L, vcpu.mmu().rootLevels(), processor()));
        }
    }

    /** VMRUN's checks of the VMSA (APM 2, 15.36.12): the #VMEXIT code, 0 if it enters. */
    private long invalidState() {
        Rules rules = snp.host().rules();
        if (rules.holds(Rule.VMRUN_OF_RUNNING_VMSA_IS_BUSY) && rmp().isRunning(vmsa, PageSize.SIZE_4K)) {
            return VMEXIT_BUSY;
        }
        if (rules.holds(Rule.VMRUN_CHECKS_VMSA_PAGE)
                && !new RmpCheck(rmp(), rules).vmrunVmsa(vmsa, snp.asid()).allowed()) {
            return VMEXIT_INVALID;
        }
        var memory = vm.kvm().memory();
        boolean good = Vmsa.launchable(memory, vmsa)
                && memory.read64(vmsa + Vmsa.SEV_FEATURES) == snp.features()
                && (memory.read8(vmsa + Vmsa.VMPL) & 0xff) < VMPLS;
        return good ? 0 : VMEXIT_INVALID;
    }

    private Optional<RunResult> handle(VmExit exit) {
        ExitCounters exits = vcpu.exits();
        return switch (exit) {
            case VmExit.NestedPageFault fault -> nestedPageFault(fault);
            case VmExit.Vmgexit _ -> {
                exits.count(ExitCounters.Cause.VMGEXIT);
                yield events.handle(processor());
            }
            case VmExit.Hlt _ -> {
                exits.count(ExitCounters.Cause.HLT);
                if (vcpu.lapic().isPresent()) {
                    vcpu.setMpState(MpState.HALTED);
                    yield Optional.empty();
                }
                vcpu.kvmRun().setExitReason(ExitReason.HLT);
                yield exited();
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
            case VmExit.Cr8Write write -> {
                vcpu.lapic().ifPresent(apic -> apic.taskPriority(write.value()));
                yield Optional.empty();
            }
            case VmExit.Pause _ -> Optional.of(new RunResult.Descheduled(MpState.RUNNABLE));
            case VmExit.InterruptWindow _ -> Optional.empty();
            case VmExit.Unsupported what -> Optional.of(new RunResult.Unsupported(what.what()));
            default -> {
                vcpu.kvmRun().internalError(UNEXPECTED_EXIT_REASON);
                yield exited();
            }
        };
    }

    /** npf_interception. */
    private Optional<RunResult> nestedPageFault(VmExit.NestedPageFault fault) {
        vcpu.exits().count(ExitCounters.Cause.NPF);
        long code = fault.errorCode();
        faultGpa = fault.gpa();
        faultInfo = code;
        if ((code & Pferr.GUEST_ENC) != 0 && snp.privateAccess(fault.gpa())) {
            code |= Pferr.PRIVATE_ACCESS;
        }
        int result = vcpu.mmu().pageFault(fault.gpa(), code);
        if (result < 0) {
            Errno errno = Errno.of(result);
            boolean memoryFault = vcpu.kvmRun().reason() == ExitReason.MEMORY_FAULT;
            return Optional.of(
                    memoryFault
                            ? new RunResult.MemoryFault(errno, vcpu.kvmRun().fields())
                            : new RunResult.Refused(errno, "kvm_mmu_page_fault: gpa 0x%x".formatted(fault.gpa())));
        }
        if ((code & Pferr.GUEST_RMP) != 0 && result != VcpuMmu.EMULATE) {
            snp.handleRmpFault(fault.gpa(), code);
        }
        return Optional.empty();
    }

    private Optional<RunResult> exited() {
        return Optional.of(
                new RunResult.Exited(vcpu.kvmRun().reason(), vcpu.kvmRun().fields()));
    }

    Runnable checkpoint() {
        Optional<SnpProcessor> savedProcessor = processor;
        Optional<Runnable> processorPart = processor.map(SnpProcessor::checkpoint);
        Cpu savedCpu = cpu;
        Runnable statePart = state.checkpoint();
        Runnable eventsPart = events.checkpoint();
        long savedVmsa = vmsa;
        long savedNext = nextVmsaGpa;
        boolean savedWaits = waitsForReset;
        boolean savedSipi = receivedFirstSipi;
        long savedGpa = faultGpa;
        long savedInfo = faultInfo;
        return () -> {
            processor = savedProcessor;
            processorPart.ifPresent(Runnable::run);
            cpu = savedCpu;
            statePart.run();
            eventsPart.run();
            vmsa = savedVmsa;
            nextVmsaGpa = savedNext;
            waitsForReset = savedWaits;
            receivedFirstSipi = savedSipi;
            faultGpa = savedGpa;
            faultInfo = savedInfo;
            root = -1;
            rmpChanges = -1;
        };
    }

    @Override
    public String toString() {
        return vm.name() + ".vcpu" + vcpu.id();
    }
}
