package kvasir.metal.cpu.simd;

/** Reads and writes elements, and folds a function of two elements over a 64-bit word. */
final class Elements {
    private Elements() {}

    /** A function of two elements, given sign extended; of the result only the element's bits count. */
    @FunctionalInterface
    interface Function {
        long apply(long a, long b);
    }

    /** A word operation that applies {@code function} to elements of {@code bits} bits, sign extended. */
    static VectorOp.Word signed(int bits, Function function) {
        int top = 64 - bits;
        return (a, b) -> {
            long result = 0;
            for (int at = 0; at < 64; at += bits) {
                long element = function.apply(a << (top - at) >> top, b << (top - at) >> top);
                result |= element << top >>> (top - at);
            }
            return result;
        };
    }

    /** A word operation that applies {@code function} to elements of {@code bits} bits, zero extended. */
    static VectorOp.Word unsigned(int bits, Function function) {
        int top = 64 - bits;
        return (a, b) -> {
            long result = 0;
            for (int at = 0; at < 64; at += bits) {
                long element = function.apply(a << (top - at) >>> top, b << (top - at) >>> top);
                result |= element << top >>> (top - at);
            }
            return result;
        };
    }

    /** Element {@code index} of {@code bits} bits, zero extended; 0 is the lowest of the vector. */
    static long get(long[] vector, int bits, int index) {
        int bit = index * bits;
        return bits == 64 ? vector[index] : vector[bit >>> 6] >>> bit & (1L << bits) - 1;
    }

    /** Element {@code index} of {@code bits} bits, sign extended. */
    static long getSigned(long[] vector, int bits, int index) {
        return get(vector, bits, index) << (64 - bits) >> (64 - bits);
    }

    /** Sets element {@code index} of {@code bits} bits. */
    static void put(long[] vector, int bits, int index, long value) {
        if (bits == 64) {
            vector[index] = value;
            return;
        }
        int bit = index * bits;
        long mask = (1L << bits) - 1;
        vector[bit >>> 6] = vector[bit >>> 6] & ~(mask << bit) | (value & mask) << bit;
    }

    static long saturateSigned(long value, int bits) {
        long limit = 1L << (bits - 1);
        return Math.clamp(value, -limit, limit - 1);
    }

    static long saturateUnsigned(long value, int bits) {
        return Math.clamp(value, 0L, (1L << bits) - 1);
    }
}
