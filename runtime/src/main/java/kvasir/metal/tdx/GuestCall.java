package kvasir.metal.tdx;

import java.util.Optional;
import java.util.function.Predicate;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.paging.Access;
import kvasir.metal.paging.EptWalker;
import kvasir.metal.paging.SecondStageResult;

/**
 * One TDCALL under way. Checks are sticky, as in {@link HostCall}. A leaf ends with a status, or leaves the TD.
 */
final class GuestCall {
    final TdxModule module;
    final PhysicalMemory memory;
    final Tdvps vcpu;

    private final long tdrHpa;
    private final long[] in;
    private final long[] out;
    private long status;
    private Optional<TdcallResult> ending = Optional.empty();

    GuestCall(TdxModule module, Tdvps vcpu, SeamcallRegs in) {
        this.module = module;
        this.memory = module.memory();
        this.vcpu = vcpu;
        this.tdrHpa = module.pamt().owner(vcpu.hpa(), Pamt.SIZE_4K);
        this.in = in.toArray();
        this.out = in.toArray();
    }

    int version() {
        return (int) (in[0] >>> 16) & 0xff;
    }

    long in(int register) {
        return in[register];
    }

    void out(int register, long value) {
        out[register] = value;
    }

    boolean failed() {
        return status != 0 || ending.isPresent();
    }

    void fail(long value) {
        if (!failed()) {
            status = value;
        }
    }

    void check(Predicate<GuestCall> rule, long value) {
        if (!failed() && !rule.test(this)) {
            status = value;
        }
    }

    /** Leaves the TD. */
    void exit(TdExit exit) {
        if (!failed()) {
            ending = Optional.of(new TdcallResult.Left(exit));
        }
    }

    TdcallResult finish() {
        out[0] = status;
        return ending.orElseGet(() -> new TdcallResult.Returned(SeamcallRegs.copyOf(out)));
    }

    Tdr tdr() {
        return new Tdr(memory, tdrHpa);
    }

    Tdcs tdcs() {
        return tdr().tdcs();
    }

    SeamcallRegs regs() {
        return SeamcallRegs.copyOf(in);
    }

    /** The register is a private GPA of that alignment. */
    void privateGpa(int register, long alignment) {
        check(
                c -> (c.in(register) & alignment - 1) == 0 && c.tdcs().privateGpa(c.in(register)),
                Status.OPERAND_INVALID.on(register));
    }

    /** The register is a GPA of that alignment, private or shared. */
    void anyGpa(int register, long alignment) {
        check(
                c -> (c.in(register) & alignment - 1) == 0
                        && c.in(register) >>> c.tdcs().gpaWidth() == 0,
                Status.OPERAND_INVALID.on(register));
    }

    /** Host address of an operand of a leaf, as a normal access would find it; 0 if that leaves the TD or raises #VE. */
    long operand(int register, PrivateAccess.Kind kind) {
        if (failed()) {
            return 0;
        }
        if ((in[register] & tdcs().sharedBit()) != 0) {
            return sharedOperand(in[register], kind);
        }
        return switch (PrivateAccess.decide(tdcs(), in[register], kind)) {
            case AccessDecision.Allowed allowed -> allowed.hpa();
            case AccessDecision.VirtualizationException(long gpa, long qualification) -> {
                ending = Optional.of(new TdcallResult.VirtualizationException(gpa, qualification));
                yield 0;
            }
            case AccessDecision.Exit(TdExit.EptViolation exit) -> {
                exit(exit);
                yield 0;
            }
        };
    }

    /** The same through the shared EPT; bit 63 of its entry decides between a TD exit and #VE. */
    private long sharedOperand(long gpa, PrivateAccess.Kind kind) {
        long eptp = memory.read64(vcpu.vmcs() + VpFields.SHARED_EPTP);
        Access access = kind == PrivateAccess.Kind.WRITE ? Access.WRITE : Access.READ;
        long wanted = kind == PrivateAccess.Kind.WRITE ? EptWalker.QUAL_WRITE : EptWalker.QUAL_READ;
        if (eptp == 0) {
            exit(new TdExit.EptViolation(gpa, wanted, TdExit.EEQ_NONE));
            return 0;
        }
        return switch (new EptWalker(eptp, tdcs().gpaWidth(), true).translate(memory, gpa, access, false)) {
            case SecondStageResult.Mapped mapped -> mapped.hpa();
            case SecondStageResult.Violation violation -> {
                if (violation.suppressVe()) {
                    exit(new TdExit.EptViolation(gpa, violation.qualification(), TdExit.EEQ_NONE));
                } else {
                    ending = Optional.of(new TdcallResult.VirtualizationException(gpa, violation.qualification()));
                }
                yield 0;
            }
            case SecondStageResult.Misconfig _ -> {
                exit(new TdExit.EptMisconfiguration(gpa));
                yield 0;
            }
            case SecondStageResult.Refused other -> throw new IllegalStateException("an EPT walk ended as " + other);
        };
    }

    /** Runs {@code body} with the RTMRs locked. */
    void withRtmrs(boolean exclusive, Runnable body) {
        if (failed()) {
            return;
        }
        TryLock lock = tdcs().lock(Tdcs.RTMR_LOCK);
        if (module.conditions().takeBusy(LockObject.RTMR) || lock.tryGuest(exclusive) != TryLock.Attempt.TAKEN) {
            status = Status.OPERAND_BUSY.on(Operand.RTMR);
            return;
        }
        body.run();
        lock.release(exclusive);
    }
}
