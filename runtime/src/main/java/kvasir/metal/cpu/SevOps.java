package kvasir.metal.cpu;

import java.util.Map;
import java.util.OptionalLong;
import kvasir.metal.cpu.Semantics.Maker;
import kvasir.metal.cpu.SevGuest.OperandPage;
import kvasir.metal.cpu.SevGuest.RmpInstruction;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.paging.Access;
import kvasir.metal.paging.GuestTranslation;
import kvasir.metal.paging.SecondStageResult;
import kvasir.metal.paging.SecondStageWalker;
import kvasir.metal.paging.SevWalker;

/** PVALIDATE and its kin, VMGEXIT, and #VC in place of the exits that a hypervisor asked for. */
final class SevOps {
    /** #VC error codes: the SVM exit codes (AMD APM volume 2, appendix C). */
    static final int VC_DR7_READ = 0x27;

    private static final int VC_HLT = 0x78;

    static final int VC_DR7_WRITE = 0x37;
    static final int VC_CPUID = 0x72;
    static final int VC_INVD = 0x76;
    static final int VC_IOIO = 0x7b;
    static final int VC_MSR = 0x7c;
    static final int VC_VMMCALL = 0x81;
    static final int VC_WBINVD = 0x89;
    static final int VC_MONITOR = 0x8a;
    static final int VC_MWAIT = 0x8b;

    private SevOps() {}

    static void bind(Map<String, Maker> makers) {
        for (RmpInstruction instruction : RmpInstruction.values()) {
            makers.put(instruction.name(), o -> Semantics.end(o, c -> execute(c, instruction)));
        }
        makers.put(
                "VMGEXIT",
                o -> Semantics.end(o, c -> {
                    boolean exits = c.sev.map(SevGuest::encryptedState).orElse(false);
                    throw c.leave(exits ? new VmExit.Vmgexit() : new VmExit.Hypercall(true));
                }));
    }

    /** #VC if the guest's registers are encrypted: the hypervisor intercepts this. */
    static void intercept(Cpu c, int code) {
        if (c.encryptedState) {
            throw c.exception(Vector.VC, code);
        }
    }

    /** #VC for an access to DR7 that the hypervisor intercepts. */
    static void interceptDr7(Cpu c, boolean write) {
        if (c.encryptedState && c.sev.orElseThrow().interceptsDr7()) {
            throw c.exception(Vector.VC, write ? VC_DR7_WRITE : VC_DR7_READ);
        }
    }

    /** #VC for HLT, if that is no automatic exit of an encrypted guest. */
    static void interceptHalt(Cpu c) {
        if (c.encryptedState && !c.sev.orElseThrow().haltExits()) {
            throw c.exception(Vector.VC, VC_HLT);
        }
    }

    /** RDMSR of a register that the processor does not keep itself: one of SEV, or intercepted. */
    static OptionalLong readMsr(Cpu c, int index) {
        OptionalLong value = c.sev.map(s -> s.readMsr(index)).orElse(OptionalLong.empty());
        if (value.isEmpty()) {
            intercept(c, VC_MSR);
        }
        return value;
    }

    /** WRMSR of a register that the processor does not keep itself; whether it is done. */
    static boolean writeMsr(Cpu c, int index, long value) {
        if (c.sev.isPresent() && c.sev.get().hasMsr(index)) {
            if (!c.sev.get().writeMsr(index, value)) {
                throw c.exception(Vector.GP, 0);
            }
            return true;
        }
        intercept(c, VC_MSR);
        return false;
    }

    private static void execute(Cpu c, RmpInstruction instruction) {
        if (c.sev.isEmpty()) {
            throw c.exception(Vector.UD, 0);
        }
        long address = c.wrap(c.segmentBase(Segment.DS) + c.r[Gpr.RAX]);
        switch (c.sev.get()
                .execute(instruction, address, c.r[Gpr.RCX], c.r[Gpr.RDX], c.cpl, linear -> operand(c, linear))) {
            case RmpOutcome.Completed(int eax, boolean carry) -> complete(c, instruction, eax, carry);
            case RmpOutcome.Queried(long rcx, long rdx) -> {
                complete(c, instruction, 0, false);
                c.r[Gpr.RCX] = rcx;
                c.r[Gpr.RDX] = rdx;
            }
            case RmpOutcome.Raised(int vector) -> throw c.exception(vector, 0);
            case RmpOutcome.NestedFault(long gpa, long errorCode) ->
                throw c.leave(new VmExit.NestedPageFault(gpa, errorCode, address));
            case RmpOutcome.Communication(int errorCode) -> {
                if (c.sev.get().communicationSetsCr2()) {
                    c.sys.cr2 = address;
                }
                throw c.exception(Vector.VC, errorCode);
            }
        }
    }

    private static void complete(Cpu c, RmpInstruction instruction, int eax, boolean carry) {
        c.r[Gpr.RAX] = Integer.toUnsignedLong(eax);
        int status = (eax == 0 ? Bits.ZF : 0) | ((Integer.bitCount(eax & 0xff) & 1) == 0 ? Bits.PF : 0);
        boolean keepsCarry = instruction != RmpInstruction.PVALIDATE;
        int carryFlag = keepsCarry ? Flags.status(c) & Bits.CF : carry ? Bits.CF : 0;
        Flags.setStatus(c, status | carryFlag);
        c.mem.flush();
    }

    /** Walks both stages; the reverse map is asked about the table pages, not about the operand itself. */
    private static OperandPage operand(Cpu c, long linear) {
        if (!c.canonical(linear)) {
            throw c.exception(Vector.GP, 0);
        }
        SevWalker checked = (SevWalker) c.walker.stage();
        var last = new Operand(checked);
        GuestTranslation found = c.walker
                .through(last)
                .translate(c.memory, linear, Access.READ, c.cpl == 3, false, c.mem.protectionKeys());
        return switch (found) {
            case GuestTranslation.Mapped mapped ->
                new OperandPage(
                        mapped.hpa(),
                        mapped.gpa() & ~checked.encryptionBit(),
                        last.level,
                        checked.encrypted(mapped.gpa(), Access.READ, false));
            case GuestTranslation.PageFault fault -> throw c.pageFault(linear, fault.errorCode());
            case GuestTranslation.Refused refused -> throw c.mem.refused(refused.by(), linear);
        };
    }

    /** The second stage without the reverse map's word on the last access. */
    private static final class Operand implements SecondStageWalker {
        private final SevWalker checked;
        int level = 1;

        Operand(SevWalker checked) {
            this.checked = checked;
        }

        @Override
        public SecondStageResult translate(PhysicalMemory memory, long gpa, Access access, boolean tableWalk) {
            if (tableWalk) {
                return checked.translate(memory, gpa, access, true);
            }
            return switch (checked.npt().translate(memory, gpa & ~checked.encryptionBit(), access, false)) {
                case SecondStageResult.Mapped at -> {
                    level = at.level();
                    yield at;
                }
                case SecondStageResult.NestedFault fault ->
                    checked.memory().refused(fault, checked.encrypted(gpa, access, false), false);
                case SecondStageResult.Refused other -> other;
            };
        }
    }
}
