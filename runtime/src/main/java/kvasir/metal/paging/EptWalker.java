package kvasir.metal.paging;

import java.util.Optional;
import kvasir.metal.memory.PhysicalMemory;

/**
 * Walks an extended page table (Intel SDM, "The extended page table mechanism").
 *
 * @param eptp extended-page-table pointer: memory type 2:0, walk length minus one 5:3, accessed and dirty flags 6
 * @param physicalBits MAXPHYADDR
 * @param executeOnly whether the processor supports execute-only translations (IA32_VMX_EPT_VPID_CAP bit 0)
 * @param pml where pages are logged whose dirty flag is set, if they are
 */
public record EptWalker(long eptp, int physicalBits, boolean executeOnly, Optional<PmlBuffer> pml)
        implements SecondStageWalker {
    /** Bits of the exit qualification. */
    public static final long QUAL_READ = 1;

    public static final long QUAL_WRITE = 1 << 1;
    public static final long QUAL_FETCH = 1 << 2;
    public static final int QUAL_RIGHTS_SHIFT = 3;
    public static final long QUAL_LINEAR_VALID = 1 << 7;

    /** Set if the access was to the translation of a linear address, clear if to a paging-structure entry. */
    public static final long QUAL_FINAL = 1 << 8;

    /** Where in a walk's path the entries begin, behind their addresses. */
    private static final int RAW = 6;

    /** A walk that logs nothing. */
    public EptWalker(long eptp, int physicalBits, boolean executeOnly) {
        this(eptp, physicalBits, executeOnly, Optional.empty());
    }

    /** Levels of the walk, 4 or 5. */
    public int levels() {
        return (int) (eptp >> 3 & 7) + 1;
    }

    /** Whether accessed and dirty flags are kept. */
    public boolean accessedDirty() {
        return (eptp & 1 << 6) != 0;
    }

    @Override
    public SecondStageResult translate(PhysicalMemory memory, long gpa, Access access, boolean tableWalk) {
        boolean tableAsWrite = tableWalk && accessedDirty();
        long kind = switch (access) {
            case READ -> tableAsWrite ? QUAL_READ | QUAL_WRITE : QUAL_READ;
            case WRITE -> tableAsWrite ? QUAL_READ | QUAL_WRITE : QUAL_WRITE;
            case FETCH -> QUAL_FETCH;
        };
        long needed = switch (access) {
            case READ -> tableAsWrite ? EptEntry.R | EptEntry.W : EptEntry.R;
            case WRITE -> EptEntry.W;
            case FETCH -> EptEntry.X;
        };
        long qualification = kind | (tableWalk ? 0 : QUAL_FINAL);
        int top = levels();
        if (gpa >>> PageSize.shift(top + 1) != 0) {
            return new SecondStageResult.Violation(gpa, qualification, true);
        }
        long rights = EptEntry.RWX;
        long table = eptp & EptEntry.ADDRESS;
        long[] path = new long[2 * RAW];
        for (int level = top; ; level--) {
            long at = table + (gpa >>> PageSize.shift(level) & 511) * 8;
            if (at >= memory.size()) {
                return new SecondStageResult.Misconfig(gpa, level, 0);
            }
            path[level] = at;
            long raw = memory.read64(at);
            path[RAW + level] = raw;
            rights &= raw;
            if ((raw & EptEntry.RWX) == 0) {
                return new SecondStageResult.Violation(gpa, qualification, raw < 0);
            }
            if (misconfigured(raw, level)) {
                return new SecondStageResult.Misconfig(gpa, level, raw);
            }
            if (level != 1 && (level > 3 || (raw & EptEntry.LARGE) == 0)) {
                table = raw & EptEntry.ADDRESS;
                continue;
            }
            if ((rights & needed) != needed) {
                return new SecondStageResult.Violation(gpa, qualification | rights << QUAL_RIGHTS_SHIFT, raw < 0);
            }
            if (accessedDirty()) {
                if (pml.isPresent() && (needed & EptEntry.W) != 0 && (raw & EptEntry.DIRTY) == 0) {
                    if (pml.get().full()) {
                        return new SecondStageResult.LogFull(gpa);
                    }
                    pml.get().log(memory, gpa);
                }
                if (!mark(memory, path, level, top, (needed & EptEntry.W) != 0)) {
                    return translate(memory, gpa, access, tableWalk);
                }
            }
            long offset = PageSize.bytes(level) - 1;
            return new SecondStageResult.Mapped(raw & EptEntry.ADDRESS & ~offset | gpa & offset, level);
        }
    }

    /** Whether a present entry of {@code level} is an EPT misconfiguration (Intel SDM, "EPT misconfigurations"). */
    public boolean misconfigured(long raw, int level) {
        long permissions = raw & EptEntry.RWX;
        if ((permissions & EptEntry.R) == 0 && ((permissions & EptEntry.W) != 0 || !executeOnly)) {
            return true;
        }
        if ((raw & EptEntry.ADDRESS & -(1L << physicalBits)) != 0) {
            return true;
        }
        boolean large = level > 1 && level <= 3 && (raw & EptEntry.LARGE) != 0;
        if (level == 1 || large) {
            int type = (int) (raw >> EptEntry.MEMORY_TYPE_SHIFT) & 7;
            if (type == 2 || type == 3 || type == 7) {
                return true;
            }
            return large && (raw & (PageSize.bytes(level) - 1) & ~0xfffL) != 0;
        }
        return (raw & (level > 3 ? 0xf8 : 0x78)) != 0;
    }

    /**
     * Sets accessed and dirty flags along a walk; entries that have them are left alone. False if an entry is no longer
     * what was walked: another processor changed it, and the walk counts for nothing.
     */
    private static boolean mark(PhysicalMemory memory, long[] path, int leaf, int top, boolean dirty) {
        for (int level = top; level >= leaf; level--) {
            long bits = EptEntry.ACCESSED | (dirty && level == leaf ? EptEntry.DIRTY : 0);
            long raw = path[RAW + level];
            while ((raw & bits) != bits && !memory.compareAndSet64(path[level], raw, raw | bits)) {
                raw = memory.read64(path[level]);
                if (((raw ^ path[RAW + level]) & ~(EptEntry.ACCESSED | EptEntry.DIRTY)) != 0) {
                    return false;
                }
            }
        }
        return true;
    }
}
