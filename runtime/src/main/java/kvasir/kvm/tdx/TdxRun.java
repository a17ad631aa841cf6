package kvasir.kvm.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.RAX;
import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

import java.util.Optional;
import kvasir.kvm.Errno;
import kvasir.kvm.ExitCounters;
import kvasir.kvm.ExitReason;
import kvasir.kvm.KvmRun;
import kvasir.kvm.Requests;
import kvasir.kvm.RunResult;
import kvasir.kvm.Seam;
import kvasir.kvm.Seams;
import kvasir.kvm.Vcpu;
import kvasir.kvm.VcpuMmu;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.Pferr;
import kvasir.metal.tdx.SeamcallRegs;
import kvasir.metal.tdx.Status;
import kvasir.metal.tdx.TdExit;
import kvasir.metal.tdx.TdProcessor;

/** KVM_RUN of one TD vCPU (tdx_vcpu_pre_run, tdx_vcpu_run, tdx_handle_exit). */
final class TdxRun {
    private static final long SHARED_EPTP_FIELD = 0x002400030000203CL;
    private static final int IA32_APIC_BASE = 0x1b;
    private static final int REASON_EPT_VIOLATION = 48;
    private static final int REASON_EPT_MISCONFIG = 49;
    private static final int REASON_TDCALL = 77;
    private static final int REASON_PREEMPTION_TIMER = 52;
    private static final int UNEXPECTED_EXIT_REASON = 4;

    /** Virtual time of a TD exit and the next entry: about ten times that of an ordinary VM's. */
    private static final long EXIT_TICKS = 10_000;

    private final TdxVm td;
    private final Vm vm;
    private final Vcpu vcpu;
    private final TdApic apic;
    private final TdMsrService msrs;
    private final TdVmcalls vmcalls;
    private final TdProcessor processor;
    private long sharedRoot = -1;

    TdxRun(TdxVm td, Vcpu vcpu) {
        this.td = td;
        this.vm = td.vm();
        this.vcpu = vcpu;
        processor = new TdProcessor(vm.kvm().memory(), vm.events(), vcpu.cpu().model(), vcpu.id());
        processor.cpu().setEngine(vm.kvm().engine());
        apic = new TdApic(td.chip(), vcpu.id(), vm.kvm().host().maxPhyAddr());
        processor.apic(apic);
        vcpu.setMsr(IA32_APIC_BASE, apic.base());
        msrs = new TdMsrService(apic, processor.cpu());
        vmcalls = new TdVmcalls(td, vcpu, msrs);
    }

    TdProcessor processor() {
        return processor;
    }

    RunResult run(long budget, long tdvpr) {
        KvmRun run = vcpu.kvmRun();
        Optional<RunResult> again = vmcalls.complete();
        if (again.isPresent()) {
            return again.get();
        }
        if (run.immediateExit()) {
            return new RunResult.Refused(Errno.EINTR, "kvm_arch_vcpu_ioctl_run: immediate_exit is set");
        }
        run.setExitReason(ExitReason.UNKNOWN);
        processor.cpu().setClock(vm.now());
        processor.budget(budget);
        try {
            return loop(run, budget, tdvpr);
        } catch (Seams.Livelock endless) {
            return new RunResult.BudgetSpent(budget);
        }
    }

    /** vcpu_run. Entries without a retired instruction are counted: the guest and KVM may be going round for ever. */
    private RunResult loop(KvmRun run, long budget, long tdvpr) {
        long retired = -1;
        int standing = 0;
        while (true) {
            standing = retired == processor.cpu().retired() ? standing + 1 : 0;
            retired = processor.cpu().retired();
            vm.seams().spin(this, standing);
            if (vcpu.signalPending()) {
                vcpu.takeSignal();
                run.setExitReason(ExitReason.INTR);
                return new RunResult.Refused(Errno.EINTR, "vcpu_run: a signal is pending");
            }
            if (vcpu.requests().test(Requests.VM_DEAD)) {
                return new RunResult.Refused(Errno.EIO, "vcpu_enter_guest: the VM is dead");
            }
            int error = vcpu.mmu().reload();
            if (error != 0) {
                return new RunResult.Refused(Errno.of(error), "kvm_mmu_reload: no root could be loaded");
            }
            loadSharedRoot(tdvpr);
            if (vcpu.requests().check(Requests.TLB_FLUSH)) {
                processor.cpu().flushTranslations();
            }
            vm.seams().footprint().beyond("a guest runs");
            vm.seams().at(Seam.GUEST_ENTRY, this);
            if (td.sept().waitForSeptZap()) {
                continue;
            }
            Optional<RunResult> result = handle(enter(tdvpr), budget);
            if (result.isPresent()) {
                return result.get();
            }
        }
    }

    /** The module runs the guest on this vCPU's processor. */
    private SeamcallRegs enter(long tdvpr) {
        td.host().module().guest(tdvpr, processor);
        SeamcallRegs in = vmcalls.reply().with(RAX, 0).with(RCX, tdvpr);
        td.sept().inside(1);
        SeamcallRegs out = td.host().seamcall(td.host().cpuOf(vcpu.id()), "TDH.VP.ENTER", in);
        td.sept().inside(-1);
        vmcalls.exited(out);
        processor.cpu().setClock(processor.cpu().clock() + EXIT_TICKS);
        vm.tick(processor.cpu().clock());
        return out;
    }

    /** TDH.VP.WR of the shared EPTP (tdx_load_mmu_pgd). */
    private void loadSharedRoot(long tdvpr) {
        long root = vcpu.mmu().rootPointer();
        if (root != sharedRoot) {
            sharedRoot = root;
            td.vpWrite(td.host().cpuOf(vcpu.id()), tdvpr, SHARED_EPTP_FIELD, root, -1);
        }
    }

    private Optional<RunResult> handle(SeamcallRegs out, long budget) {
        long rax = out.rax();
        if (Status.OPERAND_BUSY.is(rax)) {
            return Optional.empty();
        }
        if (Status.NON_RECOVERABLE_VCPU.is(rax)) {
            vcpu.exits().count(ExitCounters.Cause.TRIPLE_FAULT);
            vcpu.kvmRun().setExitReason(ExitReason.SHUTDOWN);
            return exited();
        }
        if (rax >>> 32 != 0) {
            vcpu.kvmRun().internalError(UNEXPECTED_EXIT_REASON, rax);
            return exited();
        }
        return switch ((int) rax) {
            case REASON_EPT_VIOLATION -> fault(out);
            case REASON_EPT_MISCONFIG -> {
                vcpu.exits().count(ExitCounters.Cause.EPT_MISCONFIG);
                vm.bug("EPT misconfiguration of a shared page");
                yield Optional.of(new RunResult.Refused(Errno.EIO, "tdx_handle_exit: EPT misconfiguration"));
            }
            case REASON_TDCALL -> {
                vcpu.exits().count(ExitCounters.Cause.TDCALL);
                yield vmcalls.handle(out);
            }
            case REASON_PREEMPTION_TIMER ->
                processor.exhausted() ? Optional.of(new RunResult.BudgetSpent(budget)) : Optional.empty();
            default -> {
                vcpu.exits().count(ExitCounters.Cause.INTERRUPT);
                yield Optional.empty();
            }
        };
    }

    /** tdx_handle_ept_violation. */
    private Optional<RunResult> fault(SeamcallRegs out) {
        vcpu.exits().count(ExitCounters.Cause.EPT_VIOLATION);
        long gpa = out.get(R8);
        long qualification = out.get(RCX);
        boolean isPrivate = td.privateGpa(gpa);
        long code = Pferr.GUEST_FINAL;
        if (isPrivate) {
            boolean pending = (out.get(RDX) & 0xf) == TdExit.EEQ_PENDING_EPT_VIOLATION;
            if (pending && (qualification & 0x38) == 0) {
                vm.bug("guest access to 0x%x before TDG.MEM.PAGE.ACCEPT".formatted(gpa));
                return Optional.of(new RunResult.Refused(
                        Errno.EIO, "tdx_is_sept_violation_unexpected_pending: access before accept"));
            }
            code |= Pferr.PRIVATE_ACCESS | Pferr.WRITE;
        } else {
            code |= (qualification & 2) != 0 ? Pferr.WRITE : 0;
            code |= (qualification & 4) != 0 ? Pferr.FETCH : 0;
            code |= (qualification & 0x38) != 0 ? Pferr.PRESENT : 0;
        }
        for (int spins = 0; ; spins++) {
            int result = vcpu.mmu().pageFault(gpa, code);
            if (result < 0) {
                Errno errno = Errno.of(result);
                return Optional.of(
                        vcpu.kvmRun().reason() == ExitReason.MEMORY_FAULT
                                ? new RunResult.MemoryFault(errno, vcpu.kvmRun().fields())
                                : new RunResult.Refused(errno, "kvm_mmu_page_fault: gpa 0x%x".formatted(gpa)));
            }
            boolean goesOn =
                    result == VcpuMmu.RETRY && isPrivate && !vcpu.requests().test(Requests.VM_DEAD);
            if (!goesOn || msrs.interrupted() || vcpu.signalPending()) {
                return Optional.empty();
            }
            vm.seams().spin(this, spins);
        }
    }

    private Optional<RunResult> exited() {
        return Optional.of(
                new RunResult.Exited(vcpu.kvmRun().reason(), vcpu.kvmRun().fields()));
    }

    Runnable checkpoint() {
        Runnable processorPart = processor.checkpoint();
        Runnable callsPart = vmcalls.checkpoint();
        Runnable msrPart = msrs.checkpoint();
        return () -> {
            processorPart.run();
            callsPart.run();
            msrPart.run();
            sharedRoot = -1;
        };
    }

    @Override
    public String toString() {
        return vm.name() + ".vcpu" + vcpu.id();
    }
}
