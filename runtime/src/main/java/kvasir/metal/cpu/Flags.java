package kvasir.metal.cpu;

/**
 * The six status flags, kept lazily as two words: the result of the last operation that set them, sign extended, and a
 * carry word. ZF, SF and PF follow from the result; CF is bit 63 of the carry word, OF is bit 63 xor bit 62 (carry out of
 * and into the top bit), AF is bit 3. For results that no operation has (POPF), bit 0 of the carry word inverts SF and
 * bit 8 inverts PF.
 */
final class Flags {
    private static final long TOP = 3L << 62;

    private Flags() {}

    /** After {@code result = a + b [+ carry]}; {@code shift} is 64 minus the operand's bits. */
    static void add(Cpu c, long a, long b, long result, int shift) {
        long carries = (a & b) | ((a | b) & ~result);
        c.flagResult = result << shift >> shift;
        c.flagCarry = ((carries << shift) & TOP) | (carries & 8);
    }

    /** After {@code result = a - b [- borrow]}. */
    static void sub(Cpu c, long a, long b, long result, int shift) {
        long borrows = (~a & b) | ((~a | b) & result);
        c.flagResult = result << shift >> shift;
        c.flagCarry = ((borrows << shift) & TOP) | (borrows & 8);
    }

    /** After AND, OR, XOR, TEST. */
    static void logic(Cpu c, long result, int shift) {
        c.flagResult = result << shift >> shift;
        c.flagCarry = 0;
    }

    /** ZF, SF, PF from the result; CF, OF as given; AF clear. */
    static void result(Cpu c, long result, int shift, boolean carry, boolean overflow) {
        c.flagResult = result << shift >> shift;
        c.flagCarry = carryWord(carry, overflow, false);
    }

    static long carryWord(boolean carry, boolean overflow, boolean auxiliary) {
        return (carry ? 1L << 63 : 0) | (carry != overflow ? 1L << 62 : 0) | (auxiliary ? 8 : 0);
    }

    /** Puts back the CF that was before, as INC and DEC leave it. */
    static void keepCarry(Cpu c, long before) {
        c.flagCarry ^= ((c.flagCarry ^ before) >> 63) & TOP;
    }

    /** Changes CF only. */
    static void setCarry(Cpu c, boolean carry) {
        if (carry != carry(c)) {
            c.flagCarry ^= TOP;
        }
    }

    /** Changes CF and OF only. */
    static void setCarryOverflow(Cpu c, boolean carry, boolean overflow) {
        c.flagCarry = c.flagCarry & ~TOP | carryWord(carry, overflow, false);
    }

    static boolean carry(Cpu c) {
        return c.flagCarry < 0;
    }

    static boolean overflow(Cpu c) {
        return (c.flagCarry ^ (c.flagCarry << 1)) < 0;
    }

    static boolean zero(Cpu c) {
        return c.flagResult == 0;
    }

    static boolean sign(Cpu c) {
        return (c.flagResult ^ (c.flagCarry << 63)) < 0;
    }

    static boolean parity(Cpu c) {
        return (Integer.bitCount((int) c.flagResult & 0xff) + (int) (c.flagCarry >> 8 & 1) & 1) == 0;
    }

    static boolean auxiliary(Cpu c) {
        return (c.flagCarry & 8) != 0;
    }

    /** Whether condition 0 to 15 (as Jcc encodes it) holds. */
    static boolean test(Cpu c, int condition) {
        boolean value = switch (condition >> 1) {
            case 0 -> overflow(c);
            case 1 -> carry(c);
            case 2 -> zero(c);
            case 3 -> carry(c) || zero(c);
            case 4 -> sign(c);
            case 5 -> parity(c);
            case 6 -> sign(c) != overflow(c);
            default -> zero(c) || sign(c) != overflow(c);
        };
        return value == ((condition & 1) == 0);
    }

    /** The status bits of EFLAGS. */
    static int status(Cpu c) {
        return (carry(c) ? Bits.CF : 0)
                | (parity(c) ? Bits.PF : 0)
                | (auxiliary(c) ? Bits.AF : 0)
                | (zero(c) ? Bits.ZF : 0)
                | (sign(c) ? Bits.SF : 0)
                | (overflow(c) ? Bits.OF : 0);
    }

    /** Sets all six flags from EFLAGS bits. */
    static void setStatus(Cpu c, int bits) {
        boolean zero = (bits & Bits.ZF) != 0;
        c.flagResult = zero ? 0 : 1;
        long carry = carryWord((bits & Bits.CF) != 0, (bits & Bits.OF) != 0, (bits & Bits.AF) != 0);
        if ((bits & Bits.SF) != 0) {
            carry |= 1;
        }
        if (((bits & Bits.PF) != 0) != zero) {
            carry |= 1 << 8;
        }
        c.flagCarry = carry;
    }

    /** The status flags that a flags column of the instruction table leaves undefined. */
    static int undefined(String column) {
        int[] order = {Bits.OF, Bits.SF, Bits.ZF, Bits.AF, Bits.PF, Bits.CF};
        int bits = 0;
        for (int i = 0; i < Math.min(order.length, column.length()); i++) {
            bits |= column.charAt(i) == '?' ? order[i] : 0;
        }
        return bits;
    }
}
