package kvasir.metal.cpu;

/** What RDRAND and RDSEED give: a seeded sequence (SplitMix64), so that a run is the same everywhere. */
final class RandomSource {
    private long state;

    RandomSource(long seed) {
        state = seed;
    }

    long next() {
        state += 0x9e37_79b9_7f4a_7c15L;
        long z = (state ^ state >>> 30) * 0xbf58_476d_1ce4_e5b9L;
        z = (z ^ z >>> 27) * 0x94d0_49bb_1331_11ebL;
        return z ^ z >>> 31;
    }

    long state() {
        return state;
    }

    void setState(long value) {
        state = value;
    }
}
