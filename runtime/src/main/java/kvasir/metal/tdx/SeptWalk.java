package kvasir.metal.tdx;

import kvasir.metal.memory.PhysicalMemory;

/**
 * The end of a lock-free walk of an S-EPT.
 *
 * @param level of the entry where it stopped
 * @param entryHpa address of that entry
 * @param raw its 8 bytes
 */
public record SeptWalk(int level, long entryHpa, long raw) {
    /** Address of the entry for {@code gpa} in the table page at {@code table}. */
    static long entry(long table, long gpa, int level) {
        return table + (gpa >>> 12 + 9 * level & 0x1ff) * 8;
    }

    /** Descends from the root until an entry of {@code target} level or one that leads no further. */
    public static SeptWalk to(PhysicalMemory memory, Tdcs tdcs, long gpa, int target) {
        int level = tdcs.topLevel();
        long entryHpa = entry(tdcs.septRoot(), gpa, level);
        long raw = memory.read64(entryHpa);
        while (level > target && SeptEntry.state(raw) == SeptState.NL_MAPPED) {
            level--;
            entryHpa = entry(SeptEntry.hpa(raw), gpa, level);
            raw = memory.read64(entryHpa);
        }
        return new SeptWalk(level, entryHpa, raw);
    }

    public SeptState state() {
        return SeptEntry.state(raw);
    }

    /** HPA of the page or table behind the entry. */
    public long target() {
        return SeptEntry.hpa(raw, level);
    }
}
