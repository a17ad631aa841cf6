package kvasir.metal.snp;

/** How an instruction on the RMP ended. */
public sealed interface InstructionResult {
    /**
     * It completed. OF, ZF, AF, PF and SF follow from the code (ZF=1 on success).
     *
     * @param carry CF, only of PVALIDATE: the Validated bit had the wanted value already
     */
    record Done(ReturnCode code, boolean carry) implements InstructionResult {}

    /**
     * RMPQUERY or RMPREAD completed with success.
     *
     * @param rcx size of the entry, 0 or 1
     * @param rdx 15:8 permissions of the VMPL asked for, 16 VMSA
     */
    record Queried(long rcx, long rdx) implements InstructionResult {}

    /**
     * An exception without error code, or #GP(0).
     *
     * @param vector 6 #UD, 13 #GP
     */
    record Raised(int vector) implements InstructionResult {
        static final Raised UD = new Raised(6);
        static final Raised GP = new Raised(13);
    }

    /** The walk of the operand's address did not end; the walker knows why. */
    record WalkFaulted() implements InstructionResult {}

    /**
     * Nested page fault due to the RMP.
     *
     * @param gpa EXITINFO2
     * @param verdict which check refused; its {@link RmpVerdict#exitInfo1} gives the bits
     */
    record NestedFault(long gpa, RmpVerdict verdict) implements InstructionResult {}

    /** #VC with error code 0x404. */
    record NotValidated() implements InstructionResult {}

    /** What it came to, in a word: a return code, {@code CF=1}, {@code #UD}, {@code #GP}, {@code #VC} or {@code NPF}. */
    default String word() {
        return switch (this) {
            case Done(ReturnCode code, boolean carry) -> carry ? "CF=1" : code.name();
            case Queried _ -> ReturnCode.SUCCESS.name();
            case Raised(int vector) -> vector == 6 ? "#UD" : "#GP";
            case NotValidated() -> "#VC";
            case NestedFault _ -> "NPF";
            case WalkFaulted() -> "#PF";
        };
    }

    /** Completion with {@code code} and CF=0. */
    static InstructionResult of(ReturnCode code) {
        return new Done(code, false);
    }
}
