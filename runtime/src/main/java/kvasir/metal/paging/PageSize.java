package kvasir.metal.paging;

/** Page sizes by level, and how people write them. */
public final class PageSize {
    private PageSize() {}

    /** Bytes mapped by an entry of {@code level}, 1 to 5, of a table with 512 entries a page. */
    public static long bytes(int level) {
        return 1L << shift(level);
    }

    /** Position of the lowest address bit that indexes a table of {@code level}. */
    public static int shift(int level) {
        return 12 + 9 * (level - 1);
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
