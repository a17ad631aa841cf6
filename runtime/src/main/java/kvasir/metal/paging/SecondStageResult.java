package kvasir.metal.paging;

/** What the second stage says to one access. */
public sealed interface SecondStageResult {
    /**
     * The access is allowed.
     *
     * @param hpa host-physical address of the byte asked for
     * @param level of the leaf; 1 without a second stage
     */
    record Mapped(long hpa, int level) implements SecondStageResult {}

    /** The access is refused. */
    sealed interface Refused extends SecondStageResult {
        /** The guest-physical address. */
        long gpa();
    }

    /**
     * EPT violation.
     *
     * @param qualification Intel SDM, "Exit qualification for EPT violations", without bit 7 (linear address valid),
     *     which is the caller's to know
     * @param suppressVe bit 63 of the entry at which the walk ended: the violation must exit, not become #VE
     */
    record Violation(long gpa, long qualification, boolean suppressVe) implements Refused {}

    /**
     * EPT misconfiguration.
     *
     * @param level of the offending entry
     * @param entry its 8 bytes
     */
    record Misconfig(long gpa, int level, long entry) implements Refused {}

    /** The page-modification log has no entry left for a page whose dirty flag would be set. */
    record LogFull(long gpa) implements Refused {}

    /**
     * Nested page fault.
     *
     * @param errorCode EXITINFO1 (AMD APM volume 2, "Nested versus guest page faults")
     */
    record NestedFault(long gpa, long errorCode) implements Refused {}

    /**
     * The guest gets #VC, and the host sees nothing (AMD APM volume 2, 15.35.5).
     *
     * @param errorCode of the #VC
     */
    record Communication(long gpa, int errorCode) implements Refused {}
}
