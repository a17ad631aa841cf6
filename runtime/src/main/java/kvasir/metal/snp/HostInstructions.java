package kvasir.metal.snp;

/** RMPUPDATE, PSMASH and RMPREAD, as the host executes them (APM 3). */
public final class HostInstructions {
    private final Rmp rmp;
    private final Rules rules;

    /** The instructions on {@code rmp} under {@code rules}. */
    public HostInstructions(Rmp rmp, Rules rules) {
        this.rmp = rmp;
        this.rules = rules;
    }

    private boolean foreign(Caller caller) {
        return !caller.snpEnabled() || caller.guest();
    }

    private InstructionResult.Raised foreignFault() {
        return rules.holds(Rule.FOREIGN_INSTRUCTION_IS_UD) ? InstructionResult.Raised.UD : InstructionResult.Raised.GP;
    }

    /** RMPUPDATE with the operand already read (a #PF on it comes after #UD and #GP: {@link #privileged}). */
    public InstructionResult rmpupdate(Caller caller, long spa, RmpUpdate update) {
        if (!privileged(caller)) {
            return rmp.executed("RMPUPDATE", spa, foreign(caller) ? foreignFault() : InstructionResult.Raised.GP);
        }
        return InstructionResult.of(rmpupdate(spa, update));
    }

    /** Whether a host instruction on the RMP gets as far as reading its operand. */
    public boolean privileged(Caller caller) {
        return !foreign(caller) && caller.cpl() == 0;
    }

    /** RMPUPDATE by the host kernel. */
    public ReturnCode rmpupdate(long spa, RmpUpdate update) {
        return rmp.executed("RMPUPDATE", spa, update(spa, update));
    }

    private ReturnCode update(long spa, RmpUpdate update) {
        ReturnCode refused = refusal(spa, update);
        if (refused != ReturnCode.SUCCESS) {
            return refused;
        }
        RmpEntry old = rmp.entry(spa);
        boolean kept = rules.holds(Rule.RMPUPDATE_KEEPS_VALIDATED)
                && update.asid() != 0
                && old.assigned() == update.assigned()
                && old.asid() == update.asid()
                && old.gpa() == update.gpa()
                && old.size() == update.size();
        rmp.write(
                spa,
                new RmpEntry(
                        update.assigned(),
                        update.assigned() ? update.size() : PageSize.SIZE_4K,
                        update.immutable(),
                        update.assigned() ? update.gpa() : 0,
                        update.asid(),
                        kept && old.vmsa(),
                        kept && old.validated(),
                        kept ? old.permissions() : update.assigned() ? RmpEntry.DEFAULT_PERMISSIONS : 0,
                        0),
                "RMPUPDATE");
        return ReturnCode.SUCCESS;
    }

    private ReturnCode refusal(long spa, RmpUpdate update) {
        if ((spa & 0xfff) != 0 || !update.size().aligned(spa) || update.reserved() != 0) {
            return ReturnCode.FAIL_INPUT;
        }
        if ((update.gpa() & ~RmpEntry.GPA_MASK) != 0 || update.asid() < 0 || update.asid() > 0x3ff) {
            return ReturnCode.FAIL_INPUT;
        }
        if (!update.assigned() && (update.immutable() || update.asid() != 0)) {
            return rules.holds(Rule.UNASSIGN_WITH_OWNER_IS_INPUT) ? ReturnCode.FAIL_INPUT : ReturnCode.FAIL_PERMISSION;
        }
        if (!rmp.covered(spa) || !rmp.covered(spa + update.size().bytes() - 1)) {
            return rules.holds(Rule.RMPUPDATE_UNCOVERED_IS_INPUT) ? ReturnCode.FAIL_INPUT : ReturnCode.FAIL_PERMISSION;
        }
        if (rmp.isLocked(spa, update.size())) {
            return ReturnCode.FAIL_INUSE;
        }
        if (rmp.entry(spa).immutable()) {
            return ReturnCode.FAIL_PERMISSION;
        }
        if (overlaps(spa, update)) {
            return ReturnCode.FAIL_OVERLAP;
        }
        boolean inUse = rules.holds(Rule.RUNNING_PAGE_IS_IN_USE) && rmp.isRunning(spa, update.size());
        return inUse ? ReturnCode.FAIL_INUSE : ReturnCode.SUCCESS;
    }

    /** A 4K page inside an assigned 2M frame, or a 2M frame with assigned 4K pages. */
    private boolean overlaps(long spa, RmpUpdate update) {
        RmpEntry old = rmp.entry(spa);
        if (update.size() == PageSize.SIZE_4K) {
            return old.assigned() && old.size() == PageSize.SIZE_2M;
        }
        return rmp.subpageCount(spa) != 0;
    }

    /** PSMASH with the checks of the caller's place. */
    public InstructionResult psmash(Caller caller, long spa) {
        if (!privileged(caller)) {
            return rmp.executed("PSMASH", spa, foreign(caller) ? foreignFault() : InstructionResult.Raised.GP);
        }
        return InstructionResult.of(psmash(spa));
    }

    /** PSMASH by the host kernel: one 2M entry becomes 512 4K entries with everything else the same. */
    public ReturnCode psmash(long spa) {
        return rmp.executed("PSMASH", spa, smash(spa));
    }

    private ReturnCode smash(long spa) {
        if (!PageSize.SIZE_2M.aligned(spa) || !rmp.covered(spa) || !rmp.covered(spa + PageSize.SIZE_2M.bytes() - 1)) {
            return ReturnCode.FAIL_INPUT;
        }
        if (rmp.isLocked(spa, PageSize.SIZE_2M)) {
            return ReturnCode.FAIL_INUSE;
        }
        RmpEntry old = rmp.entry(spa);
        if (!old.assigned() || old.size() != PageSize.SIZE_2M || old.immutable()) {
            return rules.holds(Rule.PSMASH_WRONG_ENTRY_IS_INPUT) ? ReturnCode.FAIL_INPUT : ReturnCode.FAIL_PERMISSION;
        }
        boolean keyed = rmp.underGuestKey(spa);
        RmpEntry small = old.withSize(PageSize.SIZE_4K);
        for (int i = 0; i < PageSize.SIZE_2M.frames(); i++) {
            long offset = i * 4096L;
            rmp.store(spa + offset, small.withGpa(old.asid() == 0 ? old.gpa() : old.gpa() + offset));
            if (keyed) {
                rmp.encryptedInPlace(spa + offset);
            }
        }
        rmp.announce(spa, old, small, "PSMASH");
        return ReturnCode.SUCCESS;
    }

    /**
     * RMPREAD: the architectural view of an entry (Linux {@code struct rmpread}): +0 GPA, +8 assigned, +9 bit 0 size and
     * bit 1 "the 2M frame has assigned 4K pages", +10 immutable, +12 ASID. Validated, VMSA and permissions are not in it.
     *
     * @param target address of the 16-byte output
     */
    public ReturnCode rmpread(long spa, long target) {
        if ((spa & 0xfff) != 0 || !rmp.covered(spa)) {
            return rmp.executed("RMPREAD", spa, ReturnCode.FAIL_INPUT);
        }
        RmpEntry entry = rmp.entry(spa);
        int size = entry.size().encoding() | (rmp.subpageCount(spa) != 0 ? 2 : 0);
        rmp.memory().write64(target, entry.gpa());
        rmp.memory().write32(target + 8, (entry.assigned() ? 1 : 0) | size << 8 | (entry.immutable() ? 0x1_0000 : 0));
        rmp.memory().write32(target + 12, entry.asid());
        return rmp.executed("RMPREAD", spa, ReturnCode.SUCCESS);
    }
}
