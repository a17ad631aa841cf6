package kvasir.metal.cpu.fp;

/**
 * Arithmetic by the JVM's own operations, which round to nearest as IEEE 754 says. Right where nothing but {@code inexact}
 * can come of it: both operands and the result are normal numbers, and the result is not the smallest, which can be a tiny
 * one rounded up. Everything else is {@link #OTHERWISE}, and {@link FloatMath} computes it.
 */
final class HostArithmetic {
    /** Not the bits of a result: a signalling NaN. */
    static final long OTHERWISE = 0x7ff0_0000_0000_0001L;

    private HostArithmetic() {}

    private static boolean plain(long bits) {
        long exponent = bits >>> 52 & 0x7ff;
        return exponent >= 2 && exponent < 0x7ff;
    }

    private static boolean plain(int bits) {
        int exponent = bits >>> 23 & 0xff;
        return exponent >= 2 && exponent < 0xff;
    }

    static long add(Format format, long left, long right) {
        if (format == Format.DOUBLE) {
            long bits = Double.doubleToRawLongBits(Double.longBitsToDouble(left) + Double.longBitsToDouble(right));
            return plain(left) && plain(right) && plain(bits) ? bits : OTHERWISE;
        }
        int bits = Float.floatToRawIntBits(Float.intBitsToFloat((int) left) + Float.intBitsToFloat((int) right));
        return plain((int) left) && plain((int) right) && plain(bits) ? bits & 0xffff_ffffL : OTHERWISE;
    }

    static long subtract(Format format, long left, long right) {
        return add(format, left, right ^ (format == Format.DOUBLE ? 1L << 63 : 1L << 31));
    }

    static long multiply(Format format, long left, long right) {
        if (format == Format.DOUBLE) {
            long bits = Double.doubleToRawLongBits(Double.longBitsToDouble(left) * Double.longBitsToDouble(right));
            return plain(left) && plain(right) && plain(bits) ? bits : OTHERWISE;
        }
        int bits = Float.floatToRawIntBits(Float.intBitsToFloat((int) left) * Float.intBitsToFloat((int) right));
        return plain((int) left) && plain((int) right) && plain(bits) ? bits & 0xffff_ffffL : OTHERWISE;
    }

    static long divide(Format format, long left, long right) {
        if (format == Format.DOUBLE) {
            long bits = Double.doubleToRawLongBits(Double.longBitsToDouble(left) / Double.longBitsToDouble(right));
            return plain(left) && plain(right) && plain(bits) ? bits : OTHERWISE;
        }
        int bits = Float.floatToRawIntBits(Float.intBitsToFloat((int) left) / Float.intBitsToFloat((int) right));
        return plain((int) left) && plain((int) right) && plain(bits) ? bits & 0xffff_ffffL : OTHERWISE;
    }

    static long squareRoot(Format format, long operand) {
        if (format == Format.DOUBLE) {
            return plain(operand) && operand > 0
                    ? Double.doubleToRawLongBits(Math.sqrt(Double.longBitsToDouble(operand)))
                    : OTHERWISE;
        }
        // the root of a 24-bit number is never so near the middle of two that rounding twice would show
        int bits = (int) operand;
        return plain(bits) && bits > 0
                ? Float.floatToRawIntBits((float) Math.sqrt(Float.intBitsToFloat(bits))) & 0xffff_ffffL
                : OTHERWISE;
    }

    /** {@code x * y + z}, rounded once. */
    static long multiplyAdd(Format format, long x, long y, long z) {
        if (format == Format.DOUBLE) {
            long bits = Double.doubleToRawLongBits(
                    Math.fma(Double.longBitsToDouble(x), Double.longBitsToDouble(y), Double.longBitsToDouble(z)));
            return plain(x) && plain(y) && plain(z) && plain(bits) ? bits : OTHERWISE;
        }
        int bits = Float.floatToRawIntBits(
                Math.fma(Float.intBitsToFloat((int) x), Float.intBitsToFloat((int) y), Float.intBitsToFloat((int) z)));
        return plain((int) x) && plain((int) y) && plain((int) z) && plain(bits) ? bits & 0xffff_ffffL : OTHERWISE;
    }
}
