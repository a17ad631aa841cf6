package kvasir.metal.snp;

import java.util.Optional;
import java.util.OptionalLong;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.RmpOutcome;
import kvasir.metal.cpu.SevGuest;
import kvasir.metal.paging.NptWalker;
import kvasir.metal.paging.SecondStageResult;

/**
 * SNP as one processor has it while it runs a guest: the RMP check behind the nested page table, the instructions on the
 * RMP, the MSRs of SEV, and #VC where the guest is to handle what happened (APM 2, 15.35 and 15.36).
 */
public final class SnpProcessor implements SevGuest {
    /** Position of the C-bit: 51, as on Milan and later. */
    public static final int ENCRYPTION_BIT = 51;

    /** MSR: GHCB. */
    public static final int MSR_GHCB = 0xc001_0130;

    /** MSR: SEV_STATUS. */
    public static final int MSR_SEV_STATUS = 0xc001_0131;

    private static final int VC_NESTED_PAGE_FAULT = 0x400;
    private static final long SEV_SEV_ES_SNP = 7;
    private static final long FEATURE_DEBUG_SWAP = 1 << 5;

    private final Cpu cpu;
    private final Rmp rmp;
    private final RmpCheck check;
    private final GuestInstructions guestInstructions;
    private final Rules rules;
    private final int asid;
    private int vmpl;
    private long features;
    private long ghcb;

    /** @param cpu whose privilege level decides between user and supervisor fetches */
    public SnpProcessor(Cpu cpu, Rmp rmp, Rules rules, int asid) {
        this.cpu = cpu;
        this.rmp = rmp;
        this.rules = rules;
        this.asid = asid;
        check = new RmpCheck(rmp, rules);
        guestInstructions = new GuestInstructions(rmp, rules);
    }

    /** VMPL of the VMSA in use, 0 to 3. */
    public int vmpl() {
        return vmpl;
    }

    /** What VMRUN takes from the VMSA: VMPL and SEV_FEATURES. */
    public void enter(int newVmpl, long sevFeatures) {
        vmpl = newVmpl;
        features = sevFeatures;
    }

    /** The GHCB MSR: a guest physical address, or a message if its low 12 bits are not zero. */
    public long ghcb() {
        return ghcb;
    }

    /** Sets the GHCB MSR, as the host does through the VMCB. */
    public void setGhcb(long value) {
        ghcb = value;
    }

    @Override
    public long encryptionBit() {
        return 1L << ENCRYPTION_BIT;
    }

    @Override
    public boolean encryptedState() {
        return true;
    }

    @Override
    public boolean communicationSetsCr2() {
        return rules.holds(Rule.VC_SETS_CR2);
    }

    @Override
    public boolean interceptsDr7() {
        return (features & FEATURE_DEBUG_SWAP) == 0;
    }

    @Override
    public boolean haltExits() {
        return rules.holds(Rule.HLT_EXITS_BY_ITSELF);
    }

    @Override
    public boolean hasMsr(int index) {
        return index == MSR_GHCB || index == MSR_SEV_STATUS;
    }

    @Override
    public OptionalLong readMsr(int index) {
        return switch (index) {
            case MSR_GHCB -> OptionalLong.of(ghcb);
            case MSR_SEV_STATUS -> OptionalLong.of(SEV_SEV_ES_SNP | (features & ~1) << 2);
            default -> OptionalLong.empty();
        };
    }

    @Override
    public boolean writeMsr(int index, long value) {
        if (index != MSR_GHCB) {
            return false;
        }
        ghcb = value;
        return true;
    }

    @Override
    public SecondStageResult mapped(
            SecondStageResult.Mapped at,
            long gpa,
            kvasir.metal.paging.Access access,
            boolean encrypted,
            boolean tableWalk) {
        Access kind = kind(access, tableWalk);
        RmpVerdict verdict = encrypted
                ? check.guestPrivate(at.hpa(), gpa, asid, vmpl, at.level(), kind)
                : check.guestShared(at.hpa(), kind, at.level());
        if (verdict.allowed()) {
            if (encrypted && rmp.covered(at.hpa())) {
                rmp.enterGuestKey(at.hpa());
            }
            return at;
        }
        if (verdict == RmpVerdict.NOT_VALIDATED) {
            return new SecondStageResult.Communication(gpa, RmpVerdict.VC_NOT_VALIDATED);
        }
        boolean write = tableWalk || access == kvasir.metal.paging.Access.WRITE;
        long error = NptWalker.PFERR_PRESENT
                | NptWalker.PFERR_USER
                | (write ? NptWalker.PFERR_WRITE : 0)
                | (access == kvasir.metal.paging.Access.FETCH ? NptWalker.PFERR_FETCH : 0)
                | (tableWalk ? NptWalker.PFERR_GUEST_PAGE : NptWalker.PFERR_GUEST_FINAL);
        return new SecondStageResult.NestedFault(gpa, error | verdict.exitInfo1(encrypted));
    }

    private Access kind(kvasir.metal.paging.Access access, boolean tableWalk) {
        return switch (access) {
            case READ -> Access.READ;
            case WRITE -> Access.WRITE;
            case FETCH -> cpu.cpl() == 3 && !tableWalk ? Access.USER_FETCH : Access.SUPERVISOR_FETCH;
        };
    }

    /** A reserved bit in the nested table says MMIO: #VC, so that the guest decodes the access (APM 2, 15.35.5). */
    @Override
    public SecondStageResult.Refused refused(
            SecondStageResult.NestedFault fault, boolean encrypted, boolean tableWalk) {
        if ((fault.errorCode() & NptWalker.PFERR_RSVD) != 0 && !tableWalk) {
            return new SecondStageResult.Communication(fault.gpa(), VC_NESTED_PAGE_FAULT);
        }
        return new SecondStageResult.NestedFault(fault.gpa(), fault.errorCode() | (encrypted ? RmpVerdict.NPF_ENC : 0));
    }

    @Override
    public RmpOutcome execute(RmpInstruction instruction, long rax, long rcx, long rdx, int cpl, OperandWalk operands) {
        var caller = new Caller(true, true, (features & 1) != 0, cpl, asid, vmpl);
        var walk = new Walk(operands);
        InstructionResult result = switch (instruction) {
            case PVALIDATE -> guestInstructions.pvalidate(caller, rax, (int) rcx, (int) rdx, walk);
            case RMPADJUST -> guestInstructions.rmpadjust(caller, rax, rcx, rdx, walk);
            case RMPQUERY -> guestInstructions.rmpquery(caller, rax, rdx, walk);
            case RMPUPDATE, PSMASH, RMPREAD ->
                rules.holds(Rule.FOREIGN_INSTRUCTION_IS_UD) ? InstructionResult.Raised.UD : InstructionResult.Raised.GP;
        };
        return switch (result) {
            case InstructionResult.Done(ReturnCode code, boolean carry) -> new RmpOutcome.Completed(code.eax(), carry);
            case InstructionResult.Queried(long size, long attributes) -> new RmpOutcome.Queried(size, attributes);
            case InstructionResult.Raised(int vector) -> new RmpOutcome.Raised(vector);
            case InstructionResult.NestedFault(long gpa, RmpVerdict verdict) ->
                new RmpOutcome.NestedFault(
                        gpa,
                        NptWalker.PFERR_PRESENT
                                | NptWalker.PFERR_USER
                                | NptWalker.PFERR_GUEST_FINAL
                                | verdict.exitInfo1(walk.encrypted));
            case InstructionResult.NotValidated() -> new RmpOutcome.Communication(RmpVerdict.VC_NOT_VALIDATED);
            case InstructionResult.WalkFaulted() ->
                throw new IllegalStateException("a fault of the walk unwinds the instruction");
        };
    }

    /** The processor's walk in the words of this package. */
    private static final class Walk implements GuestWalk {
        private final OperandWalk operands;
        private boolean encrypted = true;

        Walk(OperandWalk operands) {
            this.operands = operands;
        }

        @Override
        public Optional<Translated> translate(long virtualAddress) {
            OperandPage page = operands.translate(virtualAddress);
            encrypted = page.encrypted();
            return Optional.of(new Translated(page.hpa(), page.gpa(), page.level(), page.encrypted()));
        }
    }

    @Override
    public String toString() {
        return "vmpl %d features 0x%x ghcb 0x%x".formatted(vmpl, features, ghcb);
    }

    @Override
    public Runnable checkpoint() {
        int savedVmpl = vmpl;
        long savedFeatures = features;
        long savedGhcb = ghcb;
        return () -> {
            vmpl = savedVmpl;
            features = savedFeatures;
            ghcb = savedGhcb;
        };
    }
}
