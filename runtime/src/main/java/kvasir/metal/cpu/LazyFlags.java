package kvasir.metal.cpu;

/**
 * The status flags within translated code: what set them last and its operands, so that they cost nothing until someone
 * looks. A form is a kind and the operand size; the operands are words {@code a} and {@code b}, the result, and for INC
 * and DEC the carry that they keep. Where blocks join, {@code a} and {@code b} say everything: {@code a} is the result of
 * what has no operands, {@code b} the carry of INC and DEC, and ADC and SBB are settled. Called by generated code.
 */
final class LazyFlags {
    /** {@code a} and {@code b} are {@link Cpu#flagResult} and {@link Cpu#flagCarry} themselves. */
    static final int SETTLED = 0;

    static final int ADD = 1;
    static final int SUB = 2;
    static final int LOGIC = 3;
    static final int INC = 4;
    static final int DEC = 5;

    /** As ADD and SUB, but the carry in is part of the result. */
    static final int ADC = 6;

    static final int SBB = 7;

    /** Of a comparison of floating-point numbers: the result is CF, ZF and PF in bits 0 to 2. */
    static final int ORDER = 8;

    private LazyFlags() {}

    /** The form of {@code kind} on operands of {@code bytes} bytes. */
    static int form(int kind, int bytes) {
        return kind << 3 | Integer.numberOfTrailingZeros(bytes);
    }

    /** As {@link #settle(Cpu, int, long, long, long, int)}, of a form as it is where blocks join. */
    static void settle(Cpu c, int form, long a, long b) {
        long result = switch (form >> 3) {
            case ADD -> a + b;
            case SUB -> a - b;
            case INC -> a + 1;
            case DEC -> a - 1;
            default -> a;
        };
        settle(c, form, a, b, result, (int) b);
    }

    /** CF as 0 or 1, of a form as it is where blocks join. */
    static int carry(int form, long a, long b) {
        int shift = 64 - (8 << (form & 7));
        return switch (form >> 3) {
            case SETTLED -> (int) (b >>> 63);
            case ADD -> below(a + b, a, shift);
            case SUB -> below(a, b, shift);
            case INC, DEC -> (int) b;
            case ORDER -> (int) a & 1;
            default -> 0;
        };
    }

    /** Puts the flags into the processor. */
    static void settle(Cpu c, int form, long a, long b, long result, int carry) {
        int shift = 64 - (8 << (form & 7));
        switch (form >> 3) {
            case SETTLED -> {
                c.flagResult = a;
                c.flagCarry = b;
            }
            case ADD, ADC -> Flags.add(c, a, b, result, shift);
            case SUB, SBB -> Flags.sub(c, a, b, result, shift);
            case LOGIC -> Flags.logic(c, result, shift);
            case INC -> {
                Flags.add(c, a, 1, result, shift);
                Flags.keepCarry(c, (long) carry << 63);
            }
            case ORDER ->
                Flags.setStatus(
                        c,
                        ((result & 1) != 0 ? Bits.CF : 0)
                                | ((result & 2) != 0 ? Bits.ZF : 0)
                                | ((result & 4) != 0 ? Bits.PF : 0));
            default -> {
                Flags.sub(c, a, 1, result, shift);
                Flags.keepCarry(c, (long) carry << 63);
            }
        }
    }

    /** CF as 0 or 1, of flags that are settled in the processor. */
    static int carry(Cpu c) {
        return Flags.carry(c) ? 1 : 0;
    }

    /** What a form of kind {@link #ORDER} says of the flags that are settled in the processor. */
    static long order(Cpu c) {
        return (Flags.carry(c) ? 1 : 0) | (Flags.zero(c) ? 2 : 0) | (Flags.parity(c) ? 4 : 0);
    }

    /** Whether {@code a} is less than {@code b} without their upper {@code shift} bits, as 0 or 1. */
    static int below(long a, long b, int shift) {
        return Long.compareUnsigned(a << shift, b << shift) < 0 ? 1 : 0;
    }

    /** The carry word (see {@link Flags}) after a shift by {@code n}, not 0, of {@code a}, which is zero extended. */
    static long leftShifted(long a, int n, int bytes) {
        int bits = 8 * bytes;
        boolean carry = n <= bits && (a >>> (bits - n) & 1) != 0;
        boolean top = (a << n) << (64 - bits) < 0;
        return Flags.carryWord(carry, top != carry, false);
    }

    /** As {@link #leftShifted}, of SHR. */
    static long rightShifted(long a, int n, int bytes) {
        return Flags.carryWord((a >>> (n - 1) & 1) != 0, a << (64 - 8 * bytes) < 0, false);
    }

    /** As {@link #leftShifted}, of SAR; {@code a} is sign extended. */
    static long arithmeticShifted(long a, int n) {
        return Flags.carryWord((a >> (n - 1) & 1) != 0, false, false);
    }

    /** The carry word after the signed product of {@code a} and {@code b}, both sign extended. */
    static long multiplied(long a, long b, int bytes) {
        long low = a * b;
        int shift = 64 - 8 * bytes;
        boolean overflow = bytes == 8 ? Math.multiplyHigh(a, b) != low >> 63 : low != low << shift >> shift;
        return Flags.carryWord(overflow, overflow, false);
    }
}
