package kvasir.metal.paging;

/**
 * What the memory controller and the reverse map say to an access of a guest with memory encryption, after the nested
 * page table has spoken (AMD APM volume 2, 15.34.6 and 15.36.10).
 */
public interface EncryptedMemory {
    /**
     * The nested page table lets the access through.
     *
     * @param at where it leads
     * @param gpa guest-physical address without the C-bit
     * @param encrypted whether the effective C-bit is 1
     * @param tableWalk whether the access is to a guest paging-structure entry
     * @return {@code at}, or a refusal
     */
    SecondStageResult mapped(
            SecondStageResult.Mapped at, long gpa, Access access, boolean encrypted, boolean tableWalk);

    /** The nested page table refuses: the fault as the processor reports it. */
    SecondStageResult.Refused refused(SecondStageResult.NestedFault fault, boolean encrypted, boolean tableWalk);
}
