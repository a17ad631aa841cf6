package kvasir.metal.snp;

import java.util.Optional;

/** PVALIDATE, RMPADJUST and RMPQUERY, as an SNP guest executes them (APM 3). */
public final class GuestInstructions {
    /** Privilege levels of a guest. */
    public static final int VMPLS = 4;

    private static final String RMPADJUST = "RMPADJUST";
    private static final String AT_VMPL = RMPADJUST + " at VMPL";

    private final Rmp rmp;
    private final Rules rules;

    /** The instructions on {@code rmp} under {@code rules}. */
    public GuestInstructions(Rmp rmp, Rules rules) {
        this.rmp = rmp;
        this.rules = rules;
    }

    /** #UD or #GP for an instruction of this family in the wrong place. */
    private Optional<InstructionResult> misplaced(Caller caller) {
        if (!caller.guest() || !caller.snpActive()) {
            return Optional.of(
                    rules.holds(Rule.FOREIGN_INSTRUCTION_IS_UD)
                            ? InstructionResult.Raised.UD
                            : InstructionResult.Raised.GP);
        }
        return caller.cpl() != 0 ? Optional.of(InstructionResult.Raised.GP) : Optional.empty();
    }

    /**
     * PVALIDATE. There is no #VC 0x404 from it; a second validation shows only in CF.
     *
     * @param address rAX
     * @param ecx page size, 0 or 1
     * @param edx 1 validates, 0 takes it back
     */
    public InstructionResult pvalidate(Caller caller, long address, int ecx, int edx, GuestWalk walk) {
        return rmp.executed("PVALIDATE", address, pvalidateUnheard(caller, address, ecx, edx, walk));
    }

    private InstructionResult pvalidateUnheard(Caller caller, long address, int ecx, int edx, GuestWalk walk) {
        Optional<InstructionResult> misplaced = misplaced(caller);
        if (misplaced.isPresent()) {
            return misplaced.get();
        }
        if (caller.vmpl() != 0) {
            return InstructionResult.Raised.GP;
        }
        if ((ecx & ~1) != 0 || (edx & ~1) != 0 || !PageSize.of(ecx).aligned(address)) {
            return InstructionResult.of(ReturnCode.FAIL_INPUT);
        }
        Optional<GuestWalk.Translated> walked = walk.translate(address);
        if (walked.isEmpty()) {
            return new InstructionResult.WalkFaulted();
        }
        GuestWalk.Translated at = walked.get();
        PageSize operand = PageSize.of(ecx);
        RmpVerdict verdict = owner(caller, at, operand);
        if (!verdict.allowed()) {
            return new InstructionResult.NestedFault(at.gpa(), verdict);
        }
        long page = rmp.authority(at.spa());
        RmpEntry entry = rmp.entry(page);
        if (mismatched(entry, operand)
                || operand == PageSize.SIZE_2M
                        && at.nestedLevel() == 1
                        && rules.holds(Rule.PVALIDATE_2M_WANTS_2M_LEAF)) {
            return InstructionResult.of(ReturnCode.FAIL_SIZEMISMATCH);
        }
        boolean wanted = edx == 1;
        if (entry.validated() == wanted) {
            return new InstructionResult.Done(ReturnCode.SUCCESS, true);
        }
        rmp.write(page, entry.withValidated(wanted), "PVALIDATE");
        return InstructionResult.of(ReturnCode.SUCCESS);
    }

    /**
     * RMPADJUST.
     *
     * @param address RAX
     * @param rcx page size, 0 or 1
     * @param rdx 7:0 target VMPL, 15:8 permissions, 16 VMSA, rest zero
     */
    public InstructionResult rmpadjust(Caller caller, long address, long rcx, long rdx, GuestWalk walk) {
        return rmp.executed(RMPADJUST, address, rmpadjustUnheard(caller, address, rcx, rdx, walk));
    }

    private InstructionResult rmpadjustUnheard(Caller caller, long address, long rcx, long rdx, GuestWalk walk) {
        int target = (int) rdx & 0xff;
        int mask = (int) (rdx >>> 8) & 0xff;
        boolean vmsa = (rdx & 0x1_0000) != 0;
        Optional<InstructionResult> misplaced = misplaced(caller);
        if (misplaced.isPresent()) {
            return misplaced.get();
        }
        if ((rcx & ~1) != 0
                || (rdx & ~0x1_ffffL) != 0
                || (mask & ~Access.ALL_PERMISSIONS) != 0
                || target >= VMPLS
                || !PageSize.of(rcx).aligned(address)) {
            return InstructionResult.of(ReturnCode.FAIL_INPUT);
        }
        if (target <= caller.vmpl()) {
            return InstructionResult.of(ReturnCode.FAIL_PERMISSION);
        }
        Optional<GuestWalk.Translated> walked = walk.translate(address);
        if (walked.isEmpty()) {
            return new InstructionResult.WalkFaulted();
        }
        PageSize operand = PageSize.of(rcx);
        Optional<InstructionResult> unusable = unusable(caller, walked.get(), operand);
        if (unusable.isPresent()) {
            return unusable.get();
        }
        long page = rmp.authority(walked.get().spa());
        RmpEntry entry = rmp.entry(page);
        if (mismatched(entry, operand)) {
            return InstructionResult.of(ReturnCode.FAIL_SIZEMISMATCH);
        }
        if ((mask & ~entry.permissions(caller.vmpl())) != 0) {
            return InstructionResult.of(ReturnCode.FAIL_PERMISSION);
        }
        if (caller.vmpl() != 0 && vmsa && !rules.holds(Rule.RMPADJUST_VMSA_IGNORED_BELOW_VMPL0)) {
            return InstructionResult.of(ReturnCode.FAIL_PERMISSION);
        }
        RmpEntry adjusted = entry.withPermissions(target, mask);
        if (caller.vmpl() == 0) {
            rmp.write(page, adjusted.withVmsa(vmsa), RMPADJUST);
        } else {
            rmp.write(page, adjusted, AT_VMPL + caller.vmpl());
        }
        return InstructionResult.of(ReturnCode.SUCCESS);
    }

    /** The VMPL that changed an entry by RMPADJUST, from the {@link RmpChanged#cause}; -1 for another cause. */
    public static int granter(String cause) {
        if (cause.startsWith(AT_VMPL)) {
            return cause.charAt(AT_VMPL.length()) - '0';
        }
        return cause.equals(RMPADJUST) ? 0 : -1;
    }

    /**
     * RMPQUERY.
     *
     * @param address RAX
     * @param rdx target VMPL in the low byte, rest zero
     */
    public InstructionResult rmpquery(Caller caller, long address, long rdx, GuestWalk walk) {
        return rmp.executed("RMPQUERY", address, rmpqueryUnheard(caller, address, rdx, walk));
    }

    private InstructionResult rmpqueryUnheard(Caller caller, long address, long rdx, GuestWalk walk) {
        Optional<InstructionResult> misplaced = misplaced(caller);
        if (misplaced.isPresent()) {
            return misplaced.get();
        }
        if ((rdx & ~0xffL) != 0 || rdx >= VMPLS || (address & 0xfff) != 0) {
            return InstructionResult.of(ReturnCode.FAIL_INPUT);
        }
        if (rdx < caller.vmpl() && rules.holds(Rule.RMPQUERY_OF_HIGHER_VMPL_REFUSED)) {
            return InstructionResult.of(ReturnCode.FAIL_PERMISSION);
        }
        Optional<GuestWalk.Translated> walked = walk.translate(address);
        if (walked.isEmpty()) {
            return new InstructionResult.WalkFaulted();
        }
        long page = rmp.authority(walked.get().spa());
        PageSize operand = rmp.covered(page) ? rmp.entry(page).size() : PageSize.SIZE_4K;
        Optional<InstructionResult> unusable = unusable(caller, walked.get(), operand);
        if (unusable.isPresent()) {
            return unusable.get();
        }
        RmpEntry entry = rmp.entry(page);
        return new InstructionResult.Queried(
                entry.size().encoding(),
                (long) entry.permissions((int) rdx) << 8
                        | (entry.vmsa() && rules.holds(Rule.RMPQUERY_TELLS_VMSA) ? 0x1_0000 : 0)
                        | rdx);
    }

    /** Nested fault or #VC of RMPADJUST and RMPQUERY. */
    private Optional<InstructionResult> unusable(Caller caller, GuestWalk.Translated at, PageSize operand) {
        RmpVerdict verdict = owner(caller, at, operand);
        if (!verdict.allowed()) {
            return Optional.of(new InstructionResult.NestedFault(at.gpa(), verdict));
        }
        return rmp.entry(at.spa()).validated() ? Optional.empty() : Optional.of(new InstructionResult.NotValidated());
    }

    private RmpVerdict owner(Caller caller, GuestWalk.Translated at, PageSize operand) {
        if (!rmp.covered(at.spa())) {
            return RmpVerdict.NOT_COVERED;
        }
        if (!at.encrypted()) {
            return RmpVerdict.NOT_ASSIGNED;
        }
        long page = rmp.authority(at.spa());
        RmpEntry entry = rmp.entry(page);
        if (entry.immutable()) {
            return RmpVerdict.IMMUTABLE;
        }
        if (!entry.assigned()) {
            return RmpVerdict.NOT_ASSIGNED;
        }
        if (entry.gpa() != (at.gpa() & -4096L) - ((at.spa() & -4096L) - page)) {
            return RmpVerdict.GPA_MISMATCH;
        }
        if (entry.asid() != caller.asid()) {
            return RmpVerdict.ASID_MISMATCH;
        }
        return entry.size() == PageSize.SIZE_2M && operand == PageSize.SIZE_4K
                ? RmpVerdict.OPERAND_SIZE_MISMATCH
                : RmpVerdict.ALLOWED;
    }

    private static boolean mismatched(RmpEntry entry, PageSize operand) {
        return entry.size() == PageSize.SIZE_4K && operand == PageSize.SIZE_2M;
    }
}
