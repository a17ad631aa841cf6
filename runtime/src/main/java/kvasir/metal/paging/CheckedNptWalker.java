package kvasir.metal.paging;

import kvasir.metal.memory.PhysicalMemory;

/**
 * Walks the nested page table of a guest without memory encryption on a host with a reverse map: what it writes, its own
 * page tables included, must be the host's; else the nested page fault has bit 31 (AMD APM volume 2, 15.36.10).
 *
 * @param npt the nested page table
 * @param check of writes
 */
public record CheckedNptWalker(NptWalker npt, HostWriteCheck check) implements SecondStageWalker {
    private static final long PFERR_GUEST_RMP = 1L << 31;

    @Override
    public SecondStageResult translate(PhysicalMemory memory, long gpa, Access access, boolean tableWalk) {
        SecondStageResult result = npt.translate(memory, gpa, access, tableWalk);
        if ((tableWalk || access == Access.WRITE)
                && result instanceof SecondStageResult.Mapped at
                && !check.allows(at.hpa(), at.level())) {
            long error = NptWalker.PFERR_PRESENT
                    | NptWalker.PFERR_WRITE
                    | NptWalker.PFERR_USER
                    | PFERR_GUEST_RMP
                    | (tableWalk ? NptWalker.PFERR_GUEST_PAGE : NptWalker.PFERR_GUEST_FINAL);
            return new SecondStageResult.NestedFault(gpa, error);
        }
        return result;
    }
}
