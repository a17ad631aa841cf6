package kvasir.metal.paging;

import kvasir.metal.memory.PhysicalMemory;

/**
 * Walks a nested page table (AMD APM volume 2, "Nested paging"). Every access is a user access at this level, and a
 * guest table walk is a write.
 *
 * @param ncr3 nested CR3
 * @param levels 4 or 5
 * @param physicalBits MAXPHYADDR
 * @param encryptionBit mask of the C-bit, which is no address bit; 0 if there is none
 */
public record NptWalker(long ncr3, int levels, int physicalBits, long encryptionBit) implements SecondStageWalker {
    /** Bits of EXITINFO1. */
    public static final long PFERR_PRESENT = 1;

    public static final long PFERR_WRITE = 1 << 1;
    public static final long PFERR_USER = 1 << 2;
    public static final long PFERR_RSVD = 1 << 3;
    public static final long PFERR_FETCH = 1 << 4;
    public static final long PFERR_GUEST_FINAL = 1L << 32;
    public static final long PFERR_GUEST_PAGE = 1L << 33;

    /** Where in a walk's path the entries begin, behind their addresses. */
    private static final int RAW = 6;

    @Override
    public SecondStageResult translate(PhysicalMemory memory, long gpa, Access access, boolean tableWalk) {
        boolean write = tableWalk || access == Access.WRITE;
        long error = PFERR_USER
                | (write ? PFERR_WRITE : 0)
                | (access == Access.FETCH ? PFERR_FETCH : 0)
                | (tableWalk ? PFERR_GUEST_PAGE : PFERR_GUEST_FINAL);
        if (gpa >>> PageSize.shift(levels + 1) != 0) {
            return new SecondStageResult.NestedFault(gpa, error);
        }
        long table = ncr3 & X86Entry.ADDRESS & ~encryptionBit;
        long all = X86Entry.W | X86Entry.U;
        boolean noExecute = false;
        long[] path = new long[2 * RAW];
        for (int level = levels; ; level--) {
            long at = table + (gpa >>> PageSize.shift(level) & 511) * 8;
            long raw = at < memory.size() ? memory.read64(at) : 0;
            path[level] = at;
            path[RAW + level] = raw;
            if ((raw & X86Entry.P) == 0) {
                return new SecondStageResult.NestedFault(gpa, error);
            }
            if (reserved(raw, level)) {
                return new SecondStageResult.NestedFault(gpa, error | PFERR_PRESENT | PFERR_RSVD);
            }
            all &= raw;
            noExecute |= raw < 0;
            if (level != 1 && (level > 3 || (raw & X86Entry.LARGE) == 0)) {
                table = raw & X86Entry.ADDRESS & ~encryptionBit;
                continue;
            }
            if ((all & X86Entry.U) == 0
                    || (write && (all & X86Entry.W) == 0)
                    || (access == Access.FETCH && noExecute)) {
                return new SecondStageResult.NestedFault(gpa, error | PFERR_PRESENT);
            }
            if (!mark(memory, path, level, levels, write)) {
                return translate(memory, gpa, access, tableWalk);
            }
            long offset = PageSize.bytes(level) - 1;
            return new SecondStageResult.Mapped(
                    raw & X86Entry.ADDRESS & ~encryptionBit & ~offset | gpa & offset, level);
        }
    }

    private boolean reserved(long raw, int level) {
        if ((raw & X86Entry.ADDRESS & ~encryptionBit & -(1L << physicalBits)) != 0) {
            return true;
        }
        if ((raw & X86Entry.LARGE) != 0 && level > 1) {
            return level > 3 || (raw & ~encryptionBit & (PageSize.bytes(level) - 1) & ~0x1fffL) != 0;
        }
        return false;
    }

    /**
     * Sets accessed and dirty flags along a walk; entries that have them are left alone. False if an entry is no longer
     * what was walked: another processor changed it, and the walk counts for nothing.
     */
    private static boolean mark(PhysicalMemory memory, long[] path, int leaf, int top, boolean dirty) {
        for (int level = top; level >= leaf; level--) {
            long bits = X86Entry.ACCESSED | (dirty && level == leaf ? X86Entry.DIRTY : 0);
            long raw = path[RAW + level];
            while ((raw & bits) != bits && !memory.compareAndSet64(path[level], raw, raw | bits)) {
                raw = memory.read64(path[level]);
                if (((raw ^ path[RAW + level]) & ~(X86Entry.ACCESSED | X86Entry.DIRTY)) != 0) {
                    return false;
                }
            }
        }
        return true;
    }
}
