package kvasir.metal.tdx;

/** The memory access decision table for private GPAs: what the CPU's S-EPT walk and the module do together. */
public final class PrivateAccess {
    /** Kinds of access, with their bit in the exit qualification. */
    public enum Kind {
        READ(1),
        WRITE(2),
        FETCH(4);

        private final int qualification;

        Kind(int qualification) {
            this.qualification = qualification;
        }
    }

    private PrivateAccess() {}

    /**
     * Decides an access.
     *
     * @param gpa a private GPA: SHARED 0, nothing at or above the GPA width
     */
    public static AccessDecision decide(Tdcs tdcs, long gpa, Kind kind) {
        var walk = SeptWalk.to(tdcs.memory(), tdcs, gpa, 0);
        SeptState state = walk.state();
        boolean allowed = kind == Kind.WRITE ? state.guestWritable() : state.guestReadable();
        if (allowed) {
            long offset = gpa & Pamt.bytes(walk.level()) - 1;
            return new AccessDecision.Allowed(walk.target() + offset, walk.level(), state.guestWritable());
        }
        long permissions = state.guestReadable() ? 5L << 3 : 0;
        long qualification = kind.qualification | permissions;
        boolean acceptable = state == SeptState.PENDING || state == SeptState.PENDING_EXPORTED_DIRTY;
        if (acceptable && !tdcs.pendingVeDisable()) {
            return new AccessDecision.VirtualizationException(gpa, qualification);
        }
        long eeq = acceptable ? TdExit.EEQ_PENDING_EPT_VIOLATION : TdExit.EEQ_NONE;
        return new AccessDecision.Exit(new TdExit.EptViolation(gpa, qualification, eeq));
    }
}
