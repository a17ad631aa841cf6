package kvasir.metal.cpu;

/**
 * Where translations by large pages may be cached since the last flush: the TLB holds them in pieces of 4 KiB, which go
 * together. Never forgets one, may name one that is not there.
 */
final class LargePages {
    private static final int SLOTS = 256;
    private static final int HUGE = 30;
    /** 2 MiB and, of 32-bit tables, 4 MiB. */
    private static final int LARGE = 22;

    private final int[] large = new int[SLOTS];
    private final int[] huge = new int[SLOTS];
    private int generation = 1;

    /** A page of 2 to the power of {@code shift} bytes was walked to. */
    void note(long linear, int shift) {
        if (shift == HUGE) {
            huge[slot(linear, HUGE)] = generation;
        } else if (shift > 12) {
            large[slot(linear, LARGE)] = generation;
        }
    }

    /** How many low bits are common to what must go with {@code linear}: 30, 22, or 0 if its page has 4 KiB. */
    int shift(long linear) {
        if (huge[slot(linear, HUGE)] == generation) {
            return HUGE;
        }
        return large[slot(linear, LARGE)] == generation ? LARGE : 0;
    }

    /** Nothing is cached any more. */
    void clear() {
        generation++;
    }

    private static int slot(long linear, int shift) {
        return (int) (linear >>> shift) & (SLOTS - 1);
    }
}
