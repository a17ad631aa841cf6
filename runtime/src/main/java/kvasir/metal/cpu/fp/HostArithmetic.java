package kvasir.metal.cpu.fp;

/**
 * Arithmetic by the JVM's own operations, which round to nearest as IEEE 754 says. Right where at most {@code inexact} can
 * come of it: operands and result are normal numbers or zeros, and the result is not the smallest, which can be a tiny one
 * rounded up. Whether inexact may be left unsaid is the parameter {@code may}: {@link #NEVER}, {@link #IF_EXACT} or
 * {@link #ALWAYS}. Everything else is {@link #OTHERWISE}, and {@link FloatMath} computes it. Translated code calls these
 * too, so they are small and take and give bits: a double's as they are, a float's zero extended.
 */
public final class HostArithmetic {
    /** Not the bits of a result: a signalling NaN, of either format. */
    public static final long OTHERWISE = 0x7ff0_0000_0000_0001L;

    /** Rounding is not to nearest. */
    public static final int NEVER = 0;

    /** An inexact result must be told: to MXCSR or by an exception. */
    public static final int IF_EXACT = 1;

    /** Inexact is masked, and its flag is set already. */
    public static final int ALWAYS = 2;

    /** What {@link #compare64} gives beside 0 for greater: CF, ZF and PF of EFLAGS in bits 0 to 2. */
    public static final int LESS = 1;

    public static final int EQUAL = 2;
    public static final int UNORDERED = 7;

    /** The exponent from which on the error of a product is a normal number. */
    private static final int SMALLEST_WITH_ERROR = 128;

    private HostArithmetic() {}

    private static boolean plain(long bits) {
        long exponent = bits >>> 52 & 0x7ff;
        return exponent >= 2 && exponent < 0x7ff;
    }

    private static boolean plain(int bits) {
        int exponent = bits >>> 23 & 0xff;
        return exponent >= 2 && exponent < 0xff;
    }

    private static boolean zero(long bits) {
        return bits << 1 == 0;
    }

    private static boolean zero(int bits) {
        return bits << 1 == 0;
    }

    private static boolean large(long bits) {
        return (bits >>> 52 & 0x7ff) >= SMALLEST_WITH_ERROR;
    }

    public static long add64(long left, long right, int may) {
        double x = Double.longBitsToDouble(left);
        double y = Double.longBitsToDouble(right);
        double sum = x + y;
        long bits = Double.doubleToRawLongBits(sum);
        if (plain(left) && plain(right) && plain(bits)) {
            return may == ALWAYS || may == IF_EXACT && exactSum(x, y, sum) ? bits : OTHERWISE;
        }
        boolean exact = (plain(left) || zero(left)) && (plain(right) || zero(right)) && (plain(bits) || zero(bits));
        return exact && may != NEVER ? bits : OTHERWISE;
    }

    /** Knuth's two-sum: what rounding took away is itself a double. */
    private static boolean exactSum(double x, double y, double sum) {
        double ofY = sum - x;
        return x - (sum - ofY) + (y - ofY) == 0;
    }

    public static long add32(long left, long right, int may) {
        int l = (int) left;
        int r = (int) right;
        float sum = Float.intBitsToFloat(l) + Float.intBitsToFloat(r);
        int bits = Float.floatToRawIntBits(sum);
        if (plain(l) && plain(r) && plain(bits)) {
            boolean good =
                    may == ALWAYS || may == IF_EXACT && exactSum(Float.intBitsToFloat(l), Float.intBitsToFloat(r), sum);
            return good ? bits & 0xffff_ffffL : OTHERWISE;
        }
        boolean exact = (plain(l) || zero(l)) && (plain(r) || zero(r)) && (plain(bits) || zero(bits));
        return exact && may != NEVER ? bits & 0xffff_ffffL : OTHERWISE;
    }

    private static boolean exactSum(float x, float y, float sum) {
        float ofY = sum - x;
        return x - (sum - ofY) + (y - ofY) == 0;
    }

    public static long subtract64(long left, long right, int may) {
        return add64(left, right ^ 1L << 63, may);
    }

    public static long subtract32(long left, long right, int may) {
        return add32(left, right ^ 1L << 31, may);
    }

    public static long multiply64(long left, long right, int may) {
        double x = Double.longBitsToDouble(left);
        double y = Double.longBitsToDouble(right);
        double product = x * y;
        long bits = Double.doubleToRawLongBits(product);
        if (plain(left) && plain(right) && plain(bits)) {
            boolean good = may == ALWAYS || may == IF_EXACT && large(bits) && Math.fma(x, y, -product) == 0;
            return good ? bits : OTHERWISE;
        }
        boolean exact = zero(left) && (plain(right) || zero(right)) || zero(right) && plain(left);
        return exact && may != NEVER ? bits : OTHERWISE;
    }

    public static long multiply32(long left, long right, int may) {
        int l = (int) left;
        int r = (int) right;
        float x = Float.intBitsToFloat(l);
        float y = Float.intBitsToFloat(r);
        float product = x * y;
        int bits = Float.floatToRawIntBits(product);
        if (plain(l) && plain(r) && plain(bits)) {
            boolean good = may == ALWAYS || may == IF_EXACT && (double) x * y == product;
            return good ? bits & 0xffff_ffffL : OTHERWISE;
        }
        boolean exact = zero(l) && (plain(r) || zero(r)) || zero(r) && plain(l);
        return exact && may != NEVER ? bits & 0xffff_ffffL : OTHERWISE;
    }

    public static long divide64(long left, long right, int may) {
        double x = Double.longBitsToDouble(left);
        double y = Double.longBitsToDouble(right);
        double quotient = x / y;
        long bits = Double.doubleToRawLongBits(quotient);
        if (plain(left) && plain(right) && plain(bits)) {
            boolean good = may == ALWAYS || may == IF_EXACT && large(left) && Math.fma(quotient, y, -x) == 0;
            return good ? bits : OTHERWISE;
        }
        return zero(left) && plain(right) && may != NEVER ? bits : OTHERWISE;
    }

    public static long divide32(long left, long right, int may) {
        int l = (int) left;
        int r = (int) right;
        float quotient = Float.intBitsToFloat(l) / Float.intBitsToFloat(r);
        int bits = Float.floatToRawIntBits(quotient);
        if (plain(l) && plain(r) && plain(bits)) {
            boolean good = may == ALWAYS
                    || may == IF_EXACT && (double) quotient * Float.intBitsToFloat(r) == Float.intBitsToFloat(l);
            return good ? bits & 0xffff_ffffL : OTHERWISE;
        }
        return zero(l) && plain(r) && may != NEVER ? bits & 0xffff_ffffL : OTHERWISE;
    }

    public static long squareRoot64(long operand, int may) {
        if (!plain(operand) || operand < 0) {
            return zero(operand) && may != NEVER ? operand : OTHERWISE;
        }
        double x = Double.longBitsToDouble(operand);
        double root = Math.sqrt(x);
        boolean good = may == ALWAYS || may == IF_EXACT && large(operand) && Math.fma(root, root, -x) == 0;
        return good ? Double.doubleToRawLongBits(root) : OTHERWISE;
    }

    public static long squareRoot32(long operand, int may) {
        int bits = (int) operand;
        if (!plain(bits) || bits < 0) {
            return zero(bits) && may != NEVER ? operand : OTHERWISE;
        }
        float x = Float.intBitsToFloat(bits);
        // the root of a 24-bit number is never so near the middle of two that rounding twice would show
        float root = (float) Math.sqrt(x);
        boolean good = may == ALWAYS || may == IF_EXACT && (double) root * root == x;
        return good ? Float.floatToRawIntBits(root) & 0xffff_ffffL : OTHERWISE;
    }

    /** {@code x * y + z}, rounded once. */
    static long multiplyAdd64(long x, long y, long z, int may) {
        long bits = Double.doubleToRawLongBits(
                Math.fma(Double.longBitsToDouble(x), Double.longBitsToDouble(y), Double.longBitsToDouble(z)));
        return may == ALWAYS && plain(x) && plain(y) && plain(z) && plain(bits) ? bits : OTHERWISE;
    }

    /** As {@link #multiplyAdd64}. */
    static long multiplyAdd32(long x, long y, long z, int may) {
        int bits = Float.floatToRawIntBits(
                Math.fma(Float.intBitsToFloat((int) x), Float.intBitsToFloat((int) y), Float.intBitsToFloat((int) z)));
        return may == ALWAYS && plain((int) x) && plain((int) y) && plain((int) z) && plain(bits)
                ? bits & 0xffff_ffffL
                : OTHERWISE;
    }

    /** The order of two doubles, as UCOMISD tells it; -1 if a denormal or a NaN has more to say. */
    public static int compare64(long left, long right) {
        if (!(plain(left) || zero(left)) || !(plain(right) || zero(right))) {
            return -1;
        }
        double x = Double.longBitsToDouble(left);
        double y = Double.longBitsToDouble(right);
        return x < y ? LESS : x == y ? EQUAL : 0;
    }

    /** As {@link #compare64}, of UCOMISS. */
    public static int compare32(long left, long right) {
        int l = (int) left;
        int r = (int) right;
        if (!(plain(l) || zero(l)) || !(plain(r) || zero(r))) {
            return -1;
        }
        float x = Float.intBitsToFloat(l);
        float y = Float.intBitsToFloat(r);
        return x < y ? LESS : x == y ? EQUAL : 0;
    }

    public static long fromInteger64(long value, int may) {
        double converted = value;
        boolean exact = (long) converted == value && value != Long.MAX_VALUE;
        return may == ALWAYS || may == IF_EXACT && exact ? Double.doubleToRawLongBits(converted) : OTHERWISE;
    }

    public static long fromInteger32(long value, int may) {
        float converted = value;
        boolean exact = (long) converted == value && value != Long.MAX_VALUE;
        return may == ALWAYS || may == IF_EXACT && exact
                ? Float.floatToRawIntBits(converted) & 0xffff_ffffL
                : OTHERWISE;
    }

    /** Towards zero, as CVTTSD2SI; the result has at most {@code bits} bits and is never {@link #OTHERWISE}. */
    public static long toInteger64(long operand, int bits, int may) {
        return integer(Double.longBitsToDouble(operand), plain(operand) || zero(operand), bits, may);
    }

    /** As {@link #toInteger64}, of CVTTSS2SI. */
    public static long toInteger32(long operand, int bits, int may) {
        return integer(Float.intBitsToFloat((int) operand), plain((int) operand) || zero((int) operand), bits, may);
    }

    private static long integer(double value, boolean normal, int bits, int may) {
        double limit = 1L << Math.min(bits - 1, 62);
        long integer = (long) value;
        boolean good = normal && value > -limit && value < limit && integer != OTHERWISE;
        return good && (may == ALWAYS || integer == value) ? integer : OTHERWISE;
    }

    /** A float's bits as a double's, exactly. */
    public static long widen(long operand) {
        int bits = (int) operand;
        return plain(bits) || zero(bits) ? Double.doubleToRawLongBits(Float.intBitsToFloat(bits)) : OTHERWISE;
    }

    public static long narrow(long operand, int may) {
        double value = Double.longBitsToDouble(operand);
        float narrowed = (float) value;
        int bits = Float.floatToRawIntBits(narrowed);
        if (!(plain(operand) && plain(bits) || zero(operand)) || may == NEVER) {
            return OTHERWISE;
        }
        return may == ALWAYS || narrowed == value ? bits & 0xffff_ffffL : OTHERWISE;
    }
}
