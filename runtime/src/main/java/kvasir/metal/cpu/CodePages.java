package kvasir.metal.cpu;

/**
 * Linear pages from which code was fetched since the last flush, so that an INVLPG of any other page leaves decoded code
 * valid. Never forgets one, may name one that was not fetched from.
 */
final class CodePages {
    private static final int SLOTS = 1024;
    private static final long NONE = 1;
    private static final long SEVERAL = 2;
    private static final long PAGE = -4096;

    private final long[] pages = new long[SLOTS];
    private final int[] since = new int[SLOTS];
    private int generation = 1;

    /** Code was fetched at {@code linear}. */
    void note(long linear) {
        int slot = slot(linear);
        long page = linear & PAGE;
        boolean free = since[slot] != generation || pages[slot] == NONE || pages[slot] == page;
        pages[slot] = free ? page : SEVERAL;
        since[slot] = generation;
    }

    /** Whether code may have been fetched from the page; if it was the only one in its slot, it is forgotten. */
    boolean forget(long linear) {
        int slot = slot(linear);
        if (since[slot] != generation || pages[slot] == NONE) {
            return false;
        }
        if (pages[slot] == (linear & PAGE)) {
            pages[slot] = NONE;
            return true;
        }
        return pages[slot] == SEVERAL;
    }

    /** No translation is cached any more. */
    void clear() {
        generation++;
    }

    private static int slot(long linear) {
        return (int) (linear >>> 12) & (SLOTS - 1);
    }
}
