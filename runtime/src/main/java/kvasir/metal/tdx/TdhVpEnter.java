package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.R9;
import static kvasir.metal.tdx.Operand.RBP;
import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;
import static kvasir.metal.tdx.Operand.RSP;

/**
 * TDH.VP.ENTER (0): RCX = TDVPR with the host recoverability hint in bit 52 and RESUME_L1 in bit 53. Runs the vCPU until
 * a TD exit. TDR and TDVPR stay locked while it is inside.
 */
final class TdhVpEnter {
    private static final long HINT = 1L << 52;
    private static final long RESUME_L1 = 1L << 53;
    private static final int ASYNC_FAULT = 0;
    private static final int ASYNC_TRAP = 1;
    private static final int TDVMCALL = 2;
    private static final int REASON_TRIPLE_FAULT = 2;
    private static final int REASON_EPT_VIOLATION = 48;
    private static final int REASON_EPT_MISCONFIGURATION = 49;
    private static final int REASON_TDCALL = 77;
    private static final long QUALIFICATION_WRITE = 2;
    private static final long QUALIFICATION_HIDDEN = 0x1f80;

    private final HostCall call;
    private final Tdvps vcpu;
    private final Tdcs tdcs;

    private TdhVpEnter(HostCall call) {
        this.call = call;
        vcpu = call.tdvps();
        tdcs = call.tdcs();
    }

    static void run(HostCall call) {
        call.check(c -> !c.module.conditions().limitCpuidMaxval(), Status.LIMIT_CPUID_MAXVAL_SET.value());
        call.check(c -> (c.in(RCX) & (0xfffL | -1L << 54)) == 0, Status.OPERAND_INVALID.on(RCX));
        call.lockTdvpr(call.in(RCX) & ~(HINT | RESUME_L1), RCX, HostCall.SHARED);
        call.tdcsCheck(OpState.MAY_RUN);
        call.tdvpsComplete();
        call.check(c -> c.tdvps().state() == VcpuState.VCPU_READY, Status.VCPU_STATE_INCORRECT.value());
        boolean fresh = !call.failed() && call.tdvps().assocLpid() == Tdvps.NOT_ASSOCIATED;
        call.associate();
        call.check(
                c -> (c.in(RCX) & RESUME_L1) == 0
                        && ((c.in(RCX) & HINT) == 0 || c.tdvps().u8(Tdvps.LAST_TD_EXIT) == ASYNC_TRAP),
                Status.OPERAND_INVALID.on(RCX));
        call.check(c -> !c.module.conditions().tscAdjustChanged(), Status.INCONSISTENT_MSR.on(0x3b));
        call.check(c -> !c.module.conditions().tscRolledBack(), Status.TSC_ROLLBACK.value());
        if (call.failed()) {
            return;
        }
        new TdhVpEnter(call).enter(fresh);
    }

    private void enter(boolean fresh) {
        call.take(tdcs.lock(Tdcs.EPOCH_LOCK), LockObject.TD_EPOCH, HostCall.SHARED, Operand.TD_EPOCH);
        if (call.failed()) {
            return;
        }
        long epoch = tdcs.tdEpoch();
        boolean flush = fresh || vcpu.vcpuEpoch() != epoch || call.state.lastVcpu[call.lp] != vcpu.hpa();
        vcpu.setU64(Tdvps.VCPU_EPOCH, epoch);
        tdcs.addReference(epoch, 1);
        call.releaseLast();
        if (!zeroStepPasses()) {
            tdcs.addReference(epoch, -1);
            return;
        }
        call.releaseOpState();
        call.state.lastVcpu[call.lp] = vcpu.hpa();
        if (flush) {
            call.module.guestOf(vcpu.hpa()).flush(vcpu);
        }
        loadHostRegisters();
        vcpu.setState(VcpuState.VCPU_ACTIVE);
        new ZeroStepFilter(vcpu).entering();
        TdExit exit = call.module.inside(vcpu);
        vcpu.setState(VcpuState.VCPU_READY);
        tdcs.addReference(vcpu.vcpuEpoch(), -1);
        report(exit);
    }

    /** False with a failure or a synthetic EPT violation in the registers. */
    private boolean zeroStepPasses() {
        var filter = new ZeroStepFilter(vcpu);
        if (!filter.armed()) {
            return true;
        }
        call.lockTree(HostCall.EXCLUSIVE);
        if (call.failed()) {
            return false;
        }
        long gpa = filter.stillFaulting(tdcs);
        call.releaseLast();
        if (gpa < 0) {
            if ((tdcs.u64(Tdcs.NOTIFY_ENABLES) & 1) != 0) {
                VeInfo.of(vcpu).inject(REASON_EPT_VIOLATION, 0, 0, 0, 0, 0);
            }
            return true;
        }
        clearOutputs();
        eptViolation(gpa, QUALIFICATION_WRITE, TdExit.EEQ_NONE);
        return false;
    }

    /** After a TDVMCALL the guest finds the host's values in the registers of its mask and 0 in RAX. */
    private void loadHostRegisters() {
        if (vcpu.u8(Tdvps.LAST_TD_EXIT) != TDVMCALL) {
            return;
        }
        long mask = vcpu.u64(Tdvps.VMCALL_MASK);
        for (int register = RDX; register < 16; register++) {
            if ((mask >>> register & 1) != 0) {
                vcpu.setGpr(register, call.in(register));
            }
        }
        vcpu.setGpr(Operand.RAX, 0);
        vcpu.setU8(Tdvps.LAST_TD_EXIT, ASYNC_FAULT);
        call.module.vmcallReturned(call.lp, vcpu, mask);
    }

    private void clearOutputs() {
        boolean keepRbp = (tdcs.u64(Tdcs.CONFIG_FLAGS) & Tdcs.CONFIG_NO_RBP_MOD) != 0;
        for (int register = RCX; register < 16; register++) {
            if (register != RSP && (register != RBP || !keepRbp)) {
                call.out(register, 0);
            }
        }
    }

    private void report(TdExit exit) {
        clearOutputs();
        vcpu.setU8(Tdvps.LAST_TD_EXIT, ASYNC_FAULT);
        switch (exit) {
            case TdExit.Vmcall(SeamcallRegs regs) -> vmcall(regs);
            case TdExit.EptViolation(long gpa, long qualification, long eeq) -> {
                boolean byAccess = (eeq & 0xf) == TdExit.EEQ_NONE || (eeq & 0xf) == TdExit.EEQ_PENDING_EPT_VIOLATION;
                if (tdcs.privateGpa(gpa) && byAccess) {
                    new ZeroStepFilter(vcpu).faulted(gpa);
                }
                eptViolation(gpa, tdcs.privateGpa(gpa) ? qualification & ~QUALIFICATION_HIDDEN : qualification, eeq);
            }
            case TdExit.EptMisconfiguration(long gpa) -> {
                call.exit(REASON_EPT_MISCONFIGURATION);
                call.out(R8, gpa & ~0xfffL);
            }
            case TdExit.Asynchronous(int reason, long qualification, long interruption) -> {
                call.exit(reason);
                call.out(RCX, qualification & 0xffff_ffffL);
                call.out(R9, interruption);
            }
            case TdExit.TripleFault() -> {
                vcpu.setState(VcpuState.VCPU_DISABLED);
                call.exit(Status.NON_RECOVERABLE_VCPU.on(REASON_TRIPLE_FAULT));
            }
            case TdExit.Fatal(Status status) -> {
                vcpu.setState(VcpuState.VCPU_DISABLED);
                tdcs.tdr().setFatal();
                call.exit(status.value());
            }
            case TdExit.HostPriorityTimeout() -> {
                vcpu.setU8(Tdvps.LAST_TD_EXIT, ASYNC_TRAP);
                call.exit(Status.HOST_PRIORITY_BUSY_TIMEOUT.value());
            }
        }
    }

    private void eptViolation(long gpa, long qualification, long eeq) {
        call.exit(REASON_EPT_VIOLATION);
        call.out(RCX, qualification & 0xffff_ffffL);
        call.out(RDX, eeq);
        call.out(R8, gpa & ~0xfffL);
    }

    private void vmcall(SeamcallRegs regs) {
        long mask = regs.rcx();
        vcpu.setU8(Tdvps.LAST_TD_EXIT, TDVMCALL);
        vcpu.setU64(Tdvps.VMCALL_MASK, mask);
        for (int register = RDX; register < 16; register++) {
            if ((mask >>> register & 1) != 0) {
                call.out(register, regs.get(register));
            }
        }
        call.out(RCX, mask);
        call.exit(REASON_TDCALL);
    }
}
