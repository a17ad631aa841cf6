package kvasir.metal.cpu;

/** How an instruction on the reverse map ended. */
public sealed interface RmpOutcome {
    /**
     * It completed.
     *
     * @param eax return code; OF, ZF, AF, PF and SF follow from it
     * @param carry CF of PVALIDATE
     */
    record Completed(int eax, boolean carry) implements RmpOutcome {}

    /** RMPQUERY completed with EAX = 0. */
    record Queried(long rcx, long rdx) implements RmpOutcome {}

    /** An exception: #UD, or #GP(0). */
    record Raised(int vector) implements RmpOutcome {}

    /** A nested page fault. */
    record NestedFault(long gpa, long errorCode) implements RmpOutcome {}

    /** #VC. */
    record Communication(int errorCode) implements RmpOutcome {}
}
