package kvasir.metal.tdx;

import java.util.Optional;
import java.util.OptionalLong;
import kvasir.event.Events;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.cpu.DescriptorTable;
import kvasir.metal.cpu.Injection;
import kvasir.metal.cpu.SecondStage;
import kvasir.metal.cpu.Segment;
import kvasir.metal.cpu.VmExit;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.paging.Access;
import kvasir.metal.paging.EptWalker;
import kvasir.metal.paging.SecondStageResult;

/**
 * Runs the code of one TD vCPU on a processor: TDX non-root mode. What the hypervisor of an ordinary guest would see goes
 * to the module first: TDCALL, private EPT violations, CPUID, and everything that becomes #VE.
 */
public final class TdProcessor implements TdGuest {
    private static final int EFER = 0xc000_0080;
    private static final int VECTOR_VE = 20;
    private static final int VECTOR_DF = 8;
    private static final int VECTOR_GP = 13;
    private static final int VECTOR_PF = 14;
    private static final int PF_PRESENT = 1;
    private static final int PF_WRITE = 2;
    private static final int PF_USER = 4;
    private static final int PF_RESERVED = 8;
    private static final int PF_FETCH = 16;
    private static final long EFER_SCE = 1;
    private static final int REASON_CPUID = 10;
    private static final int REASON_HLT = 12;
    private static final int REASON_VMCALL = 18;
    private static final int REASON_CR_ACCESS = 28;
    private static final int REASON_IO = 30;
    private static final int REASON_RDMSR = 31;
    private static final int REASON_WRMSR = 32;
    private static final int REASON_EPT_VIOLATION = 48;
    private static final int REASON_PREEMPTION_TIMER = 52;
    private static final long QUALIFICATION_WRITE = 2;
    private static final long QUALIFICATION_FETCH = 4;
    private static final int GUEST_BITS = 52;

    /** The processor's, fast strings, without performance monitoring (bit 7) and PEBS (bit 12). */
    private static final long MISC_ENABLE_OF_TD = 0x1001;

    private static final int[] GENERAL = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

    private final PhysicalMemory memory;
    private final Cpu cpu;
    private VirtualApic apic = VirtualApic.NONE;
    private boolean started;
    private long budgetEnd;

    /**
     * A processor for one vCPU.
     *
     * @param model of the host; the TD sees 52 physical address bits, so that a SHARED bit is none reserved
     * @param apicId initial APIC id
     */
    public TdProcessor(PhysicalMemory memory, Events events, CpuidModel model, int apicId) {
        this.memory = memory;
        var wide = new CpuidModel(
                model.name(), model.vendor(), model.brand(), model.signature(), model.features(), GUEST_BITS);
        cpu = new Cpu(memory, events, wide, apicId);
        cpu.interceptCpuid(true);
        cpu.interceptMsrs(TdMsrs::interceptsRead, TdMsrs::interceptsWrite);
    }

    /** Installs the vCPU's local APIC; none after construction. */
    public void apic(VirtualApic next) {
        apic = next;
    }

    /** The processor, for those who watch. */
    public Cpu cpu() {
        return cpu;
    }

    /** The guest may retire {@code instructions} more before it is preempted. */
    public void budget(long instructions) {
        budgetEnd = cpu.retired() + instructions;
    }

    /** Whether the budget is used up. */
    public boolean exhausted() {
        return cpu.retired() >= budgetEnd;
    }

    @Override
    public void flush(Tdvps vcpu) {
        cpu.flushTranslations();
    }

    @Override
    public TdExit run(TdxModule module, Tdvps vcpu) {
        load(module, vcpu);
        TdExit exit = execute(module, vcpu);
        store(vcpu);
        return exit;
    }

    private TdExit execute(TdxModule module, Tdvps vcpu) {
        var tdcs = new Tdr(memory, module.pamt().owner(vcpu.hpa(), Pamt.SIZE_4K)).tdcs();
        while (true) {
            long left = budgetEnd - cpu.retired();
            if (left <= 0) {
                return new TdExit.Asynchronous(REASON_PREEMPTION_TIMER, 0, 0);
            }
            deliverInterrupts();
            long quiet = Math.max(1, apic.deadline() - cpu.clock());
            Optional<TdExit> exit = handle(module, vcpu, tdcs, cpu.run(Math.min(left, quiet)));
            if (exit.isPresent()) {
                return exit.get();
            }
        }
    }

    /** Posted interrupts: delivered as soon as the guest takes them. */
    private void deliverInterrupts() {
        if (apic.interrupting(cpu.clock()) && cpu.interruptible() && !cpu.injectionPending()) {
            cpu.inject(new Injection.Interrupt(apic.acknowledge()));
        }
        cpu.requestInterruptWindow(apic.interrupting(cpu.clock()));
    }

    private Optional<TdExit> handle(TdxModule module, Tdvps vcpu, Tdcs tdcs, VmExit exit) {
        return switch (exit) {
            case VmExit.Tdcall _ -> tdcall(module, vcpu);
            case VmExit.EptViolation violation -> violation(vcpu, tdcs, violation);
            case VmExit.EptMisconfig misconfig -> Optional.of(new TdExit.EptMisconfiguration(misconfig.gpa()));
            case VmExit.Cpuid cpuid -> cpuid(vcpu, tdcs, cpuid);
            case VmExit.Hlt _ -> {
                cpu.setRip(cpu.rip() - 1);
                yield exception(vcpu, REASON_HLT, 0, 1);
            }
            case VmExit.Io io -> exception(vcpu, REASON_IO, qualification(io), cpu.exitInstructionLength());
            case VmExit.Rdmsr read -> readMsr(vcpu, tdcs, read.index());
            case VmExit.Wrmsr write -> writeMsr(vcpu, write.index(), write.value());
            case VmExit.ControlWrite write ->
                exception(vcpu, REASON_CR_ACCESS, write.register(), cpu.exitInstructionLength());
            case VmExit.Hypercall _ -> exception(vcpu, REASON_VMCALL, 0, cpu.exitInstructionLength());
            case VmExit.TripleFault _ -> Optional.of(new TdExit.TripleFault());
            // the budget itself is looked at before each run
            case VmExit.Budget _, VmExit.InterruptWindow _, VmExit.BusLock _ -> Optional.empty();
            case VmExit.Interrupted _ -> Optional.of(new TdExit.Asynchronous(1, 0, 0));
            case VmExit.NestedPageFault _,
                    VmExit.LogFull _,
                    VmExit.Vmgexit _,
                    VmExit.Cr8Write _,
                    VmExit.Rsm _,
                    VmExit.Debug _,
                    VmExit.Stopped _,
                    VmExit.Pause _,
                    VmExit.Emulated _,
                    VmExit.MmioPending _,
                    VmExit.Unsupported _ -> Optional.of(new TdExit.Fatal(Status.NON_RECOVERABLE_TD));
        };
    }

    private static long qualification(VmExit.Io io) {
        return io.bytes() - 1 | (io.in() ? 8 : 0) | (io.string() ? 16 : 0) | (long) io.port() << 16;
    }

    private Optional<TdExit> tdcall(TdxModule module, Tdvps vcpu) {
        var gpr = new long[16];
        for (int register : GENERAL) {
            gpr[register] = cpu.gpr(register);
        }
        return switch (module.tdcall(vcpu.hpa(), SeamcallRegs.copyOf(gpr))) {
            case TdcallResult.Returned(SeamcallRegs regs) -> {
                for (int register : GENERAL) {
                    if (register != Operand.RSP) {
                        cpu.setGpr(register, regs.get(register));
                    }
                }
                cpu.skip();
                yield Optional.empty();
            }
            case TdcallResult.Left(TdExit.Vmcall vmcall) -> {
                cpu.skip();
                yield Optional.of(vmcall);
            }
            case TdcallResult.Left(TdExit other) -> Optional.of(other);
            case TdcallResult.VirtualizationException(long gpa, long qualification) ->
                memoryException(vcpu, gpa, 0, qualification);
        };
    }

    private Optional<TdExit> violation(Tdvps vcpu, Tdcs tdcs, VmExit.EptViolation violation) {
        long gpa = violation.gpa();
        long qualification = violation.qualification();
        if (gpa >>> tdcs.gpaWidth() != 0) {
            return reservedBit(violation);
        }
        if ((gpa & tdcs.sharedBit()) != 0) {
            return sharedViolation(vcpu, gpa, violation.linear(), qualification);
        }
        var kind = (qualification & QUALIFICATION_WRITE) != 0
                ? PrivateAccess.Kind.WRITE
                : (qualification & QUALIFICATION_FETCH) != 0 ? PrivateAccess.Kind.FETCH : PrivateAccess.Kind.READ;
        return switch (PrivateAccess.decide(tdcs, gpa, kind)) {
            case AccessDecision.Allowed _ -> Optional.of(new TdExit.EptViolation(gpa, qualification, TdExit.EEQ_NONE));
            case AccessDecision.VirtualizationException(long at, long why) ->
                memoryException(vcpu, at, violation.linear(), why);
            case AccessDecision.Exit(TdExit.EptViolation exit) -> Optional.of(exit);
        };
    }

    /** An address bit above SHARED is a reserved bit of the guest's own tables. */
    private Optional<TdExit> reservedBit(VmExit.EptViolation violation) {
        boolean write = (violation.qualification() & QUALIFICATION_WRITE) != 0;
        boolean fetch = (violation.qualification() & QUALIFICATION_FETCH) != 0;
        cpu.setCr(2, violation.linear());
        int code = PF_PRESENT | PF_RESERVED | (write ? PF_WRITE : 0) | (cpu.cpl() == 3 ? PF_USER : 0);
        cpu.inject(new Injection.GuestException(VECTOR_PF, code | (fetch ? PF_FETCH : 0)));
        return Optional.empty();
    }

    /** Bit 63 of the shared entry decides between a TD exit and #VE. */
    private Optional<TdExit> sharedViolation(Tdvps vcpu, long gpa, long linear, long qualification) {
        long eptp = memory.read64(vcpu.vmcs() + VpFields.SHARED_EPTP);
        boolean exits = eptp == 0
                || !(new EptWalker(eptp, GUEST_BITS, true).translate(memory, gpa, Access.READ, false)
                        instanceof SecondStageResult.Violation found)
                || found.suppressVe();
        return exits
                ? Optional.of(new TdExit.EptViolation(gpa, qualification, TdExit.EEQ_NONE))
                : memoryException(vcpu, gpa, linear, qualification);
    }

    private Optional<TdExit> memoryException(Tdvps vcpu, long gpa, long linear, long qualification) {
        deliver(VeInfo.of(vcpu).inject(REASON_EPT_VIOLATION, qualification, linear, gpa, 0, 0));
        return Optional.empty();
    }

    private Optional<TdExit> exception(Tdvps vcpu, int reason, long qualification, int length) {
        deliver(VeInfo.of(vcpu).inject(reason, qualification, 0, 0, length, 0));
        return Optional.empty();
    }

    private void deliver(boolean filled) {
        cpu.inject(new Injection.GuestException(filled ? VECTOR_VE : VECTOR_DF, 0));
    }

    private Optional<TdExit> readMsr(Tdvps vcpu, Tdcs tdcs, int index) {
        TdMsrs.Rule rule = TdMsrs.read(cpu.model(), index);
        if (rule == TdMsrs.Rule.VE) {
            return exception(vcpu, REASON_RDMSR, 0, cpu.exitInstructionLength());
        }
        OptionalLong value = switch (rule) {
            case GP -> OptionalLong.empty();
            case EMULATED -> OptionalLong.of(emulated(tdcs, index));
            default -> apic.read(index, cpu.clock());
        };
        if (value.isEmpty()) {
            return generalProtection();
        }
        cpu.setGpr(Operand.RAX, value.getAsLong() & 0xffff_ffffL);
        cpu.setGpr(Operand.RDX, value.getAsLong() >>> 32);
        cpu.skip();
        return Optional.empty();
    }

    private static long emulated(Tdcs tdcs, int index) {
        return index == TdMsrs.MISC_ENABLE ? MISC_ENABLE_OF_TD : tdcs.u64(Tdcs.ARCH_CAPABILITIES);
    }

    private Optional<TdExit> writeMsr(Tdvps vcpu, int index, long value) {
        TdMsrs.Rule rule = TdMsrs.write(cpu.model(), index);
        boolean sce = index == TdMsrs.EFER && ((value ^ cpu.msr(EFER).orElse(0)) & ~EFER_SCE) == 0;
        if (rule == TdMsrs.Rule.VE || rule == TdMsrs.Rule.CHECKED && !sce) {
            return exception(vcpu, REASON_WRMSR, 0, cpu.exitInstructionLength());
        }
        boolean done = rule == TdMsrs.Rule.CHECKED
                ? cpu.setMsr(EFER, value)
                : rule == TdMsrs.Rule.NATIVE && apic.write(index, value, cpu.clock());
        if (!done) {
            return generalProtection();
        }
        cpu.skip();
        return Optional.empty();
    }

    private Optional<TdExit> generalProtection() {
        cpu.inject(new Injection.GuestException(VECTOR_GP, 0));
        return Optional.empty();
    }

    private Optional<TdExit> cpuid(Tdvps vcpu, Tdcs tdcs, VmExit.Cpuid cpuid) {
        int enabled = vcpu.u8(Tdvps.CPUIDVE);
        boolean asked = (enabled & (cpu.cpl() == 0 ? 1 : 2)) != 0;
        Optional<int[]> answer =
                asked ? Optional.empty() : TdCpuid.answer(cpu, tdcs, vcpu, cpuid.leaf(), cpuid.subleaf());
        if (answer.isEmpty()) {
            return exception(vcpu, REASON_CPUID, 0, cpu.exitInstructionLength());
        }
        int[] out = answer.get();
        cpu.setGpr(Operand.RAX, Integer.toUnsignedLong(out[0]));
        cpu.setGpr(Operand.RBX, Integer.toUnsignedLong(out[1]));
        cpu.setGpr(Operand.RCX, Integer.toUnsignedLong(out[2]));
        cpu.setGpr(Operand.RDX, Integer.toUnsignedLong(out[3]));
        cpu.skip();
        return Optional.empty();
    }

    private void load(TdxModule module, Tdvps vcpu) {
        var tdcs = new Tdr(memory, module.pamt().owner(vcpu.hpa(), Pamt.SIZE_4K)).tdcs();
        if (!started) {
            cpu.guardControls(new TdControls(tdcs.attributes(), tdcs.xfam()));
            start(vcpu);
        }
        for (int register : GENERAL) {
            cpu.setGpr(register, vcpu.gpr(register));
        }
        long septp = tdcs.septRoot() | 6 | (long) tdcs.topLevel() << 3;
        long shared = memory.read64(vcpu.vmcs() + VpFields.SHARED_EPTP);
        var stage = new SecondStage.Tdx(septp, shared, tdcs.sharedBit());
        if (!stage.equals(cpu.secondStage())) {
            cpu.setSecondStage(stage);
        }
    }

    /** The state of TDH.VP.INIT. */
    private void start(Tdvps vcpu) {
        started = true;
        cpu.setMsr(EFER, vcpu.u64(Tdvps.EFER));
        cpu.setCr(0, vcpu.u64(Tdvps.CR0));
        cpu.setCr(4, vcpu.u64(Tdvps.CR4) & ~0x2000L);
        cpu.setSegment(Segment.CS, new Segment(0, 0, -1, 0xc09b));
        for (int segment : new int[] {Segment.DS, Segment.ES, Segment.FS, Segment.GS, Segment.SS}) {
            cpu.setSegment(segment, new Segment(0, 0, -1, 0xc093));
        }
        cpu.setGdtr(new DescriptorTable(0, 0));
        cpu.setIdtr(new DescriptorTable(0, 0));
        cpu.setRflags(vcpu.u64(Tdvps.RFLAGS));
        cpu.setRip(vcpu.u64(Tdvps.RIP));
    }

    private void store(Tdvps vcpu) {
        for (int register : GENERAL) {
            vcpu.setGpr(register, cpu.gpr(register));
        }
        vcpu.setU64(Tdvps.RIP, cpu.rip());
        vcpu.setU64(Tdvps.RFLAGS, cpu.rflags());
        vcpu.setU64(Tdvps.CR0, cpu.cr(0));
        vcpu.setU64(Tdvps.CR3, cpu.cr(3));
        vcpu.setU64(Tdvps.CR4, cpu.cr(4));
    }

    /** The state as it is, as an action that puts it back. */
    public Runnable checkpoint() {
        Cpu.Image image = cpu.save();
        boolean savedStarted = started;
        long savedEnd = budgetEnd;
        return () -> {
            cpu.restore(image);
            started = savedStarted;
            budgetEnd = savedEnd;
        };
    }
}
