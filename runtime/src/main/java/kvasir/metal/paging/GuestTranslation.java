package kvasir.metal.paging;

/** What both stages together say to one access to a linear address. */
public sealed interface GuestTranslation {
    /**
     * The access is allowed.
     *
     * @param gpa guest-physical address
     * @param hpa host-physical address
     * @param user whether user mode may reach the page
     * @param global whether the translation outlives a change of CR3
     * @param pageShift of the page in the guest's tables: 12, 21, 22 or 30
     */
    record Mapped(long gpa, long hpa, boolean user, boolean global, int pageShift) implements GuestTranslation {}

    /**
     * The guest's own tables refuse it.
     *
     * @param errorCode of the #PF: P 0, W 1, U 2, RSVD 3, I 4, PK 5
     */
    record PageFault(int errorCode) implements GuestTranslation {}

    /**
     * The second stage refuses it, or refuses a table walk that it needs.
     *
     * @param tableWalk whether it was the access to a paging-structure entry
     */
    record Refused(SecondStageResult.Refused by, boolean tableWalk) implements GuestTranslation {}
}
