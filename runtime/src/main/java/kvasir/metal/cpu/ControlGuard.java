package kvasir.metal.cpu;

/** Judges what a guest writes to control registers, before the processor's own rules are asked. */
@FunctionalInterface
public interface ControlGuard {
    /** What comes of it. */
    enum Verdict {
        /** The processor's own rules decide. */
        ALLOWED,
        /** #GP(0). */
        FAULTS,
        /** {@link VmExit.ControlWrite}; the register keeps its value. */
        EXITS
    }

    /** Everything is allowed. */
    ControlGuard NONE = (_, _) -> Verdict.ALLOWED;

    /** Number of XCR0 among the control registers here; the others have their own, 0 and 4. */
    int XCR0 = 16;

    /**
     * Judges one write.
     *
     * @param register 0, 4 or {@link #XCR0}
     */
    Verdict write(int register, long value);
}
