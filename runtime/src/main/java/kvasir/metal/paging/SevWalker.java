package kvasir.metal.paging;

import kvasir.metal.memory.PhysicalMemory;

/**
 * Walks the second stage of a guest with memory encryption: the C-bit of a guest entry is no address bit, but tells
 * whether the access is private. Guest table walks and fetches are private whatever it says, and so is everything where
 * the guest's paging mode has no C-bit (AMD APM volume 2, 15.34.5).
 *
 * @param npt the nested page table
 * @param encryptionBit mask of the C-bit in a guest entry
 * @param allPrivate whether the guest's paging mode has no C-bit
 * @param memory what stands behind the nested page table
 */
public record SevWalker(NptWalker npt, long encryptionBit, boolean allPrivate, EncryptedMemory memory)
        implements SecondStageWalker {
    @Override
    public SecondStageResult translate(PhysicalMemory physical, long gpa, Access access, boolean tableWalk) {
        boolean encrypted = encrypted(gpa, access, tableWalk);
        long address = gpa & ~encryptionBit;
        return switch (npt.translate(physical, address, access, tableWalk)) {
            case SecondStageResult.Mapped at -> memory.mapped(at, address, access, encrypted, tableWalk);
            case SecondStageResult.NestedFault fault -> memory.refused(fault, encrypted, tableWalk);
            case SecondStageResult.Refused other -> other;
        };
    }

    /** The effective C-bit of an access. */
    public boolean encrypted(long gpa, Access access, boolean tableWalk) {
        return allPrivate || tableWalk || access == Access.FETCH || (gpa & encryptionBit) != 0;
    }
}
