package kvasir.kvm.mmu;

/** Arithmetic of page-table levels: 1 = 4 KiB, 2 = 2 MiB, 3 = 1 GiB, 4 = 512 GiB, 5 = 256 TiB. */
public final class Level {
    /** 4 KiB. */
    public static final int PG_4K = 1;
    /** 2 MiB. */
    public static final int PG_2M = 2;
    /** 1 GiB, the highest level that can hold a leaf. */
    public static final int PG_1G = 3;
    /** Entries in a table. */
    static final int ENTRIES = 512;

    private Level() {}

    /** 4 KiB pages covered by one entry. */
    public static long pages(int level) {
        return 1L << (9 * (level - 1));
    }

    /** Bytes covered by one entry. */
    public static long bytes(int level) {
        return pages(level) << 12;
    }

    /** {@code gfn} rounded down to the block that one entry covers. */
    public static long round(long gfn, int level) {
        return gfn & -pages(level);
    }

    /** Index of {@code gfn} in a table of this level. */
    public static int index(long gfn, int level) {
        return (int) (gfn >>> (9 * (level - 1))) & (ENTRIES - 1);
    }

    /** {@code 4K}, {@code 2M}, {@code 1G}, {@code 512G}, {@code 256T}. */
    public static String name(int level) {
        return switch (level) {
            case 1 -> "4K";
            case 2 -> "2M";
            case 3 -> "1G";
            case 4 -> "512G";
            case 5 -> "256T";
            default -> throw new IllegalArgumentException("level " + level);
        };
    }
}
