package kvasir.metal.cpu.fp;

/**
 * An unpacked number: {@code (-1)^sign * significand / 2^63 * 2^exponent} when finite. Mutable and reused by its
 * {@link FloatMath}, so that arithmetic allocates nothing.
 */
final class Operand {
    /** What kind of number it is. */
    enum Kind {
        ZERO,
        FINITE,
        INFINITY,
        QUIET_NAN,
        SIGNALING_NAN,
        /** 80-bit encodings that the x87 refuses: unnormals, pseudo-infinities, pseudo-NaNs. */
        UNSUPPORTED
    }

    Kind kind = Kind.ZERO;
    boolean negative;
    int exponent;
    /** Top bit set when finite; for a NaN the integer bit and the payload below it, left-justified. */
    long significand;
    /** Whether the packed form was denormal (and DAZ did not make it a zero). */
    boolean denormal;

    boolean isNan() {
        return kind == Kind.QUIET_NAN || kind == Kind.SIGNALING_NAN;
    }

    void unpack(Format format, long bits, boolean denormalsAreZero) {
        int fractionBits = format.fractionBits();
        int biased = (int) (bits >>> fractionBits) & ((1 << format.exponentBits) - 1);
        long fraction = bits & ((1L << fractionBits) - 1);
        negative = (bits >>> (fractionBits + format.exponentBits) & 1) != 0;
        denormal = false;
        if (biased == 0) {
            if (fraction == 0 || (denormalsAreZero && format != Format.HALF)) {
                kind = Kind.ZERO;
            } else {
                kind = Kind.FINITE;
                // half precision has no denormal exception, and DAZ does not touch it (SDM volume 2, VCVTPH2PS)
                denormal = format != Format.HALF;
                int shift = Long.numberOfLeadingZeros(fraction);
                significand = fraction << shift;
                exponent = format.minimum + (63 - fractionBits) - shift;
            }
        } else if (biased == (1 << format.exponentBits) - 1) {
            significand = 1L << 63 | fraction << (63 - fractionBits);
            if (fraction == 0) {
                kind = Kind.INFINITY;
            } else {
                kind = (significand & 1L << 62) != 0 ? Kind.QUIET_NAN : Kind.SIGNALING_NAN;
            }
        } else {
            kind = Kind.FINITE;
            significand = 1L << 63 | fraction << (63 - fractionBits);
            exponent = biased - format.bias;
        }
    }

    void unpackInteger(long value) {
        negative = value < 0;
        denormal = false;
        kind = value == 0 ? Kind.ZERO : Kind.FINITE;
        long magnitude = Math.abs(value);
        int shift = Long.numberOfLeadingZeros(magnitude);
        significand = magnitude << shift;
        exponent = 63 - shift;
    }

    void unpackExtended(int signExponent, long mantissa) {
        negative = (signExponent & 0x8000) != 0;
        int biased = signExponent & 0x7fff;
        denormal = false;
        significand = mantissa;
        if (biased == 0) {
            if (mantissa == 0) {
                kind = Kind.ZERO;
            } else {
                // a set integer bit makes it a pseudo-denormal: same value, same #D
                kind = Kind.FINITE;
                denormal = true;
                int shift = Long.numberOfLeadingZeros(mantissa);
                significand = mantissa << shift;
                exponent = Format.EXTENDED.minimum - shift;
            }
        } else if (mantissa >= 0) {
            kind = Kind.UNSUPPORTED;
        } else if (biased == 0x7fff) {
            if (mantissa << 1 == 0) {
                kind = Kind.INFINITY;
            } else {
                kind = (mantissa & 1L << 62) != 0 ? Kind.QUIET_NAN : Kind.SIGNALING_NAN;
            }
        } else {
            kind = Kind.FINITE;
            exponent = biased - Format.EXTENDED.bias;
        }
    }
}
