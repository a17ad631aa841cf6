package kvasir.metal.paging;

import kvasir.metal.memory.PhysicalMemory;

/**
 * Walks the second stage of a TD: an address with the SHARED bit through the shared EPT, all others through the S-EPT,
 * whose entries are EPT entries to the processor.
 *
 * @param secure from the S-EPT root
 * @param shared from the host's pointer; its value is 0 while the host has given none
 * @param sharedBit the address bit that chooses
 */
public record TdWalker(EptWalker secure, EptWalker shared, long sharedBit) implements SecondStageWalker {
    @Override
    public SecondStageResult translate(PhysicalMemory memory, long gpa, Access access, boolean tableWalk) {
        if ((gpa & sharedBit) == 0) {
            return secure.translate(memory, gpa, access, tableWalk);
        }
        if (shared.eptp() == 0) {
            return new SecondStageResult.Violation(gpa, access == Access.WRITE ? 2 : 1, true);
        }
        return shared.translate(memory, gpa, access, tableWalk);
    }
}
