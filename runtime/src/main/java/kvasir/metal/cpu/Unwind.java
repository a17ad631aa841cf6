package kvasir.metal.cpu;

/**
 * Leaves the middle of an instruction that cannot complete. One object a processor, without stack trace; it never
 * leaves {@link Interpreter}, which turns it into a delivered exception or a returned {@link VmExit}.
 */
final class Unwind extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** What the interpreter does. */
    enum Kind {
        EXCEPTION,
        NON_CANONICAL,
        EXIT,
        STALE,

        /** Another processor changed a locked instruction's operand under it; never leaves {@link LinearMemory}. */
        LOST,

        /** The instruction must run while no other processor does. */
        ALONE
    }

    Kind kind = Kind.STALE;
    int vector;

    /** The exception is one of the task that was just switched to: IP and registers are its own already. */
    boolean switched;

    int errorCode;
    transient VmExit exit = new VmExit.Budget();

    Unwind() {
        super("", null, false, false);
    }
}
