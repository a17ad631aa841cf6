package kvasir.kvm;

/**
 * Large-page metadata of one slot: for each 2 MiB and 1 GiB block it touches, a word whose bit 31 says "mixed
 * attributes" and whose bits 30:0 count reasons not to map it large (x86.c, kvm_alloc_memslot_metadata). A block may
 * be mapped large only if its word is 0.
 */
public final class LpageInfo {
    /** The flag of a block with private and shared pages (KVM_LPAGE_MIXED_FLAG). */
    public static final int MIXED = 1 << 31;

    private final long baseGfn;
    private final int[][] words;

    /**
     * @param baseGfn first gfn of the slot
     * @param npages pages in the slot, at least 1
     * @param hvaGfn userspace_addr &gt;&gt; 12
     */
    public LpageInfo(long baseGfn, long npages, long hvaGfn) {
        this.baseGfn = baseGfn;
        words = new int[2][];
        for (int level = 2; level <= 3; level++) {
            words[level - 2] = initial(level, npages, hvaGfn);
        }
    }

    private int[] initial(int level, long npages, long hvaGfn) {
        int shift = shift(level);
        long mask = (1L << shift) - 1;
        var info = new int[(int) (((baseGfn + npages - 1) >>> shift) - (baseGfn >>> shift) + 1)];
        if (((baseGfn ^ hvaGfn) & mask) != 0) {
            java.util.Arrays.fill(info, 1);
            return info;
        }
        if ((baseGfn & mask) != 0) {
            info[0]++;
        }
        if (((baseGfn + npages) & mask) != 0) {
            info[info.length - 1] = 1;
        }
        return info;
    }

    private static int shift(int level) {
        return 9 * (level - 1);
    }

    private int index(long gfn, int level) {
        return (int) ((gfn >>> shift(level)) - (baseGfn >>> shift(level)));
    }

    /** The word of the block of level {@code level} (2 or 3) that contains {@code gfn}, which lies in the slot. */
    public int word(long gfn, int level) {
        return words[level - 2][index(gfn, level)];
    }

    /** Whether the block may be mapped large. */
    public boolean allows(long gfn, int level) {
        return word(gfn, level) == 0;
    }

    /** Whether the block is marked as having private and shared pages. */
    public boolean mixed(long gfn, int level) {
        return word(gfn, level) < 0;
    }

    /** Marks or unmarks the block as mixed. */
    public void setMixed(long gfn, int level, boolean mixed) {
        int[] info = words[level - 2];
        int at = index(gfn, level);
        info[at] = mixed ? info[at] | MIXED : info[at] & ~MIXED;
    }

    /** Adds {@code delta} to the block's count of reasons. */
    public void adjust(long gfn, int level, int delta) {
        words[level - 2][index(gfn, level)] += delta;
    }

    long fingerprint() {
        return java.util.Arrays.hashCode(words[0]) * 31L + java.util.Arrays.hashCode(words[1]);
    }

    Runnable checkpoint() {
        int[][] saved = {words[0].clone(), words[1].clone()};
        return () -> {
            for (int i = 0; i < saved.length; i++) {
                System.arraycopy(saved[i], 0, words[i], 0, saved[i].length);
            }
        };
    }
}
