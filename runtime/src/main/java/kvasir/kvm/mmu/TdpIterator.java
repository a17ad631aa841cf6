package kvasir.kvm.mmu;

import kvasir.metal.memory.PhysicalMemory;

/**
 * The pre-order walk over the entries that cover a range of gfns (tdp_iter.c). It can be resumed after a yield: the
 * walk then starts again from the root, towards the gfn it was heading for.
 *
 * <p>Mutable and reused; one per task.
 */
final class TdpIterator {
    private final PhysicalMemory memory;
    private final long[] path = new long[6];
    private int rootLevel;
    private int minLevel;
    private long gfnBits;
    private long nextLastLevelGfn;
    private boolean yielded;

    /** Target gfn at the last yield: nothing is gained by yielding again before it has advanced. */
    private long yieldedGfn;

    /** The tree that is walked. */
    Root root;
    /** Whether the walk stands on an entry. */
    boolean valid;
    /** First gfn covered by the entry, without direct bits. */
    long gfn;
    /** Level of the table that holds the entry. */
    int level;
    /** Host physical address of the entry. */
    long sptep;
    /** What the entry held when it was last read. */
    long oldSpte;

    TdpIterator(PhysicalMemory memory) {
        this.memory = memory;
        root = Root.NONE;
    }

    /**
     * Stands on the root's entry for {@code nextLastLevelGfn}.
     *
     * @param minLevel the walk does not go below tables of this level
     */
    void start(Root root, int minLevel, long nextLastLevelGfn) {
        this.root = root;
        this.rootLevel = root.level();
        this.minLevel = minLevel;
        this.gfnBits = root.gfnBits;
        this.nextLastLevelGfn = nextLastLevelGfn;
        path[rootLevel] = root.pfn << 12;
        restart();
    }

    /** Goes back to the root, still heading for the same gfn. */
    void restart() {
        yielded = false;
        yieldedGfn = nextLastLevelGfn;
        level = rootLevel;
        gfn = Level.round(nextLastLevelGfn, level);
        refresh();
        valid = true;
    }

    /** Moves to the next entry in pre-order; after a yield, starts again from the root. */
    void next() {
        if (yielded) {
            restart();
            return;
        }
        if (stepDown()) {
            return;
        }
        do {
            if (stepSide()) {
                return;
            }
        } while (stepUp());
        valid = false;
    }

    /** Reads the entry again. */
    void reread() {
        oldSpte = memory.read64(sptep);
    }

    /** Entries from this one on to the last of its table, or before {@code end}. */
    int entriesLeft(long end) {
        int inTable = Level.ENTRIES - Level.index(gfn | gfnBits, level);
        long before = (end - gfn + Level.pages(level) - 1) / Level.pages(level);
        return (int) Math.min(inTable, before);
    }

    /** Moves on by {@code entries} entries of the same table. */
    void skip(int entries) {
        gfn += (long) entries * Level.pages(level);
        nextLastLevelGfn = Math.max(nextLastLevelGfn, gfn);
        refresh();
    }

    /** Frame of the table that holds the entry. */
    long tablePfn() {
        return path[level] >>> 12;
    }

    /** Whether a yield would let the walk advance: the target gfn has moved since the last one. */
    boolean mayYield() {
        return nextLastLevelGfn != yieldedGfn;
    }

    /** The task has yielded: what the walk stands on is stale until {@link #next()}. */
    void markYielded() {
        yielded = true;
    }

    /** Everything that the next move depends on, as a number. */
    long position() {
        long hash = ((level * 31L + gfn) * 31 + nextLastLevelGfn) * 31 + (yielded ? 1 : 0) + (valid ? 2 : 0);
        hash = (hash * 31 + yieldedGfn) * 0x9e3779b97f4a7c15L + oldSpte;
        for (int at = Math.min(level, rootLevel); at <= rootLevel; at++) {
            hash = (hash ^ path[at]) * 0x9e3779b97f4a7c15L;
        }
        return hash;
    }

    /** What the walk stands on, as a person names it: {@code td.ept[0x1000]}. */
    @Override
    public String toString() {
        return "%s[0x%x] %s".formatted(root.space, gfn << 12, Level.name(level));
    }

    private void refresh() {
        sptep = path[level] + 8L * Level.index(gfn | gfnBits, level);
        oldSpte = memory.read64(sptep);
    }

    private boolean stepDown() {
        if (level == minLevel) {
            return false;
        }
        oldSpte = memory.read64(sptep);
        if (!Spte.isPresentTable(oldSpte, level)) {
            return false;
        }
        level--;
        path[level] = Spte.address(oldSpte);
        gfn = Level.round(nextLastLevelGfn, level);
        refresh();
        return true;
    }

    private boolean stepSide() {
        if (Level.index(gfn | gfnBits, level) == Level.ENTRIES - 1) {
            return false;
        }
        gfn += Level.pages(level);
        nextLastLevelGfn = gfn;
        sptep += 8;
        oldSpte = memory.read64(sptep);
        return true;
    }

    private boolean stepUp() {
        if (level == rootLevel) {
            return false;
        }
        level++;
        gfn = Level.round(gfn, level);
        refresh();
        return true;
    }
}
