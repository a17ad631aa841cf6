package kvasir.metal.cpu.simd;

import kvasir.metal.cpu.fp.FloatMath;

/** One operation on vectors. */
@FunctionalInterface
public interface VectorOp {
    /**
     * Computes {@code d} from the sources; {@code d} is an array of its own.
     *
     * @param d destination: the first {@code words} words are set, the others are left alone
     * @param a first source (the destination of a two-operand form)
     * @param b second source
     * @param immediate the immediate byte, 0 to 255
     * @param words 64-bit words in the vector: 1, 2 or 4
     * @param fp arithmetic under MXCSR
     */
    void apply(long[] d, long[] a, long[] b, int immediate, int words, FloatMath fp);

    /** An operation that works on each 64-bit word by itself. */
    @FunctionalInterface
    interface Word {
        long apply(long a, long b);
    }

    /** An operation on whole vectors from one on words. */
    static VectorOp of(Word word) {
        return (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < words; i++) {
                d[i] = word.apply(a[i], b[i]);
            }
        };
    }

    /** An operation within one 128-bit lane. */
    @FunctionalInterface
    interface Lane {
        /** Computes words {@code at} and {@code at + 1} of {@code d}, which is neither source. */
        void apply(long[] d, long[] a, long[] b, int immediate, int at);
    }

    /** An operation on whole vectors from one on lanes. */
    static VectorOp ofLane(Lane lane) {
        return (d, a, b, immediate, words, fp) -> {
            for (int at = 0; at < words; at += 2) {
                lane.apply(d, a, b, immediate, at);
            }
        };
    }
}
