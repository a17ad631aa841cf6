package kvasir.metal.cpu.simd;

/** The commonest operations on packed integers in one 64-bit word. Called by generated code too. */
public final class PackedWords {
    private PackedWords() {}

    /** The top bit of each element of {@code bits} bits: 8, 16, 32 or 64. */
    public static long tops(int bits) {
        long tops = 1L << bits - 1;
        for (int filled = bits; filled < 64; filled *= 2) {
            tops |= tops << filled;
        }
        return tops;
    }

    /** PADDB to PADDQ, of elements with these {@link #tops}. */
    public static long add(long a, long b, long tops) {
        return (a & ~tops) + (b & ~tops) ^ (a ^ b) & tops;
    }

    /** PSUBB to PSUBQ. */
    public static long subtract(long a, long b, long tops) {
        return (a | tops) - (b & ~tops) ^ (a ^ ~b) & tops;
    }

    /** PCMPEQB to PCMPEQQ. */
    public static long equal(long a, long b, long tops) {
        long same = ~differing(a ^ b, tops) & tops;
        return same | same - (same >>> Long.numberOfTrailingZeros(tops));
    }

    /** The top bit of each element that is not zero; the other bits mean nothing. */
    private static long differing(long elements, long tops) {
        return (elements & ~tops) + ~tops | elements;
    }
}
