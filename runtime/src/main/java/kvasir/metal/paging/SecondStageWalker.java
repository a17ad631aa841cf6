package kvasir.metal.paging;

import kvasir.metal.memory.PhysicalMemory;

/** Turns a guest-physical address into a host-physical one. */
public interface SecondStageWalker {
    /**
     * Translates one access and sets accessed and dirty flags if it is allowed.
     *
     * @param tableWalk whether the access is to a guest paging-structure entry
     */
    SecondStageResult translate(PhysicalMemory memory, long gpa, Access access, boolean tableWalk);

    /** No second stage: guest-physical is host-physical. */
    SecondStageWalker NONE = (memory, gpa, access, tableWalk) -> new SecondStageResult.Mapped(gpa, 1);
}
