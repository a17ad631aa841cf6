package kvasir.metal.cpu.fp;

import java.math.BigInteger;
import kvasir.metal.cpu.fp.Operand.Kind;

/**
 * The transcendental functions of x87, correctly rounded: computed to more than 120 bits and rounded once as the control
 * word says. Processors give results that may differ in the last place.
 *
 * <p>FSIN, FCOS, FSINCOS and FPTAN reduce their argument by a pi of 66 bits, as processors do (SDM volume 1, 8.3.8).
 *
 * <p>Special cases are those of the tables in SDM volume 2 (F2XM1, FCOS, FPATAN, FPTAN, FSIN, FYL2X, FYL2XP1).
 */
public enum Transcendental {
    /** {@code 2^ST0 - 1} for ST0 from -1 to 1; beyond, ST0 itself. */
    F2XM1 {
        @Override
        long apply(FloatMath math, Operand x, Operand ignored) {
            if (x.isNan() || x.kind == Kind.UNSUPPORTED) {
                return math.nanResult(false);
            }
            denormal(math, x.denormal);
            if (x.kind == Kind.ZERO) {
                return math.zeroResult(x.negative);
            }
            if (x.kind == Kind.INFINITY) {
                return x.negative ? math.rounded(true, 0, TOP, 0) : math.infiniteResult(false);
            }
            if (x.exponent >= 0) {
                boolean minusOne = x.negative && x.exponent == 0 && x.significand == TOP;
                return outOfRange(math, x, minusOne ? -1 : x.exponent);
            }
            if (x.exponent < TINY) {
                return product(math, x.negative, x.exponent, x.significand, HighPrecision.LN2);
            }
            BigInteger value =
                    HighPrecision.fixed(x).multiply(HighPrecision.LN2).shiftRight(HighPrecision.BITS);
            return rounded(math, HighPrecision.exponential(value).subtract(HighPrecision.ONE), 0);
        }
    },

    /** {@code sin ST0}. */
    FSIN {
        @Override
        long apply(FloatMath math, Operand x, Operand ignored) {
            if (x.isNan() || x.kind == Kind.UNSUPPORTED) {
                return math.nanResult(false);
            }
            if (x.kind == Kind.INFINITY) {
                return math.invalidResult();
            }
            denormal(math, x.denormal);
            if (x.kind == Kind.ZERO) {
                return math.zeroResult(x.negative);
            }
            if (x.exponent < SMALL) {
                return justBelow(math, x);
            }
            return rounded(math, HighPrecision.sine(HighPrecision.fixed(x)), 0);
        }
    },

    /** {@code cos ST0}. */
    FCOS {
        @Override
        long apply(FloatMath math, Operand x, Operand ignored) {
            if (x.isNan() || x.kind == Kind.UNSUPPORTED) {
                return math.nanResult(false);
            }
            if (x.kind == Kind.INFINITY) {
                return math.invalidResult();
            }
            denormal(math, x.denormal);
            if (x.kind == Kind.ZERO) {
                return math.rounded(false, 0, TOP, 0);
            }
            if (x.exponent < SMALL) {
                return math.rounded(false, -1, -1L, -1L);
            }
            return rounded(math, HighPrecision.cosine(HighPrecision.fixed(x)), 0);
        }
    },

    /** {@code tan ST0}. */
    FPTAN {
        @Override
        long apply(FloatMath math, Operand x, Operand ignored) {
            if (x.isNan() || x.kind == Kind.UNSUPPORTED) {
                return math.nanResult(false);
            }
            if (x.kind == Kind.INFINITY) {
                return math.invalidResult();
            }
            denormal(math, x.denormal);
            if (x.kind == Kind.ZERO) {
                return math.zeroResult(x.negative);
            }
            if (x.exponent < SMALL) {
                return math.rounded(x.negative, x.exponent, x.significand, 1);
            }
            BigInteger angle = HighPrecision.fixed(x);
            return rounded(math, HighPrecision.divide(HighPrecision.sine(angle), HighPrecision.cosine(angle)), 0);
        }
    },

    /** The angle of the point (ST0, ST1). */
    FPATAN {
        @Override
        long apply(FloatMath math, Operand x, Operand y) {
            if (x.isNan() || y.isNan() || x.kind == Kind.UNSUPPORTED || y.kind == Kind.UNSUPPORTED) {
                return math.nanResult(true);
            }
            denormal(math, x.denormal || y.denormal);
            boolean flat = y.kind == Kind.ZERO || (x.kind == Kind.INFINITY && y.kind != Kind.INFINITY);
            if (flat) {
                return x.negative
                        ? rounded(math, signed(HighPrecision.PI, y.negative), 0)
                        : math.zeroResult(y.negative);
            }
            if (x.kind == Kind.ZERO || (y.kind == Kind.INFINITY && x.kind != Kind.INFINITY)) {
                return rounded(math, signed(HighPrecision.PI, y.negative), -1);
            }
            if (x.kind == Kind.INFINITY) {
                BigInteger quarter = x.negative ? HighPrecision.PI.multiply(BigInteger.valueOf(3)) : HighPrecision.PI;
                return rounded(math, signed(quarter, y.negative), -2);
            }
            int distance = y.exponent - x.exponent;
            if (distance < -FAR && !x.negative) {
                return quotientJustBelow(math, y, x);
            }
            BigInteger angle;
            if (distance < -FAR) {
                angle = HighPrecision.PI.subtract(BigInteger.ONE);
            } else if (distance > FAR) {
                angle = HighPrecision.PI.shiftRight(1).add(x.negative ? BigInteger.ONE : BigInteger.ONE.negate());
            } else {
                BigInteger ratio = distance >= 0
                        ? HighPrecision.ratio(x.significand, y.significand, -distance)
                        : HighPrecision.ratio(y.significand, x.significand, distance);
                angle = HighPrecision.arcTangent(ratio);
                if (distance >= 0) {
                    angle = HighPrecision.PI.shiftRight(1).subtract(angle);
                }
                if (x.negative) {
                    angle = HighPrecision.PI.subtract(angle);
                }
            }
            return rounded(math, signed(angle, y.negative), 0);
        }
    },

    /** {@code ST1 * log2(ST0)}. */
    FYL2X {
        @Override
        long apply(FloatMath math, Operand x, Operand y) {
            if (x.isNan() || y.isNan() || x.kind == Kind.UNSUPPORTED || y.kind == Kind.UNSUPPORTED) {
                return math.nanResult(true);
            }
            if (x.negative && x.kind != Kind.ZERO) {
                return math.invalidResult();
            }
            if (x.kind == Kind.ZERO) {
                if (y.kind == Kind.ZERO) {
                    return math.invalidResult();
                }
                if (y.kind != Kind.INFINITY) {
                    math.flags |= FloatMath.DIVIDE_BY_ZERO;
                }
                return math.infiniteResult(!y.negative);
            }
            boolean one = x.kind == Kind.FINITE && x.exponent == 0 && x.significand == TOP;
            boolean undefined = x.kind == Kind.INFINITY ? y.kind == Kind.ZERO : one && y.kind == Kind.INFINITY;
            if (undefined) {
                return math.invalidResult();
            }
            denormal(math, x.denormal || y.denormal);
            boolean below = x.kind == Kind.FINITE && x.exponent < 0;
            if (x.kind == Kind.INFINITY || y.kind == Kind.INFINITY) {
                return math.infiniteResult(y.negative != below);
            }
            if (one || y.kind == Kind.ZERO) {
                return math.zeroResult(y.negative != below);
            }
            return product(math, y.negative, y.exponent, y.significand, HighPrecision.logarithm(x));
        }
    },

    /** {@code ST1 * log2(ST0 + 1)}. */
    FYL2XP1 {
        @Override
        long apply(FloatMath math, Operand x, Operand y) {
            if (x.isNan() || y.isNan() || x.kind == Kind.UNSUPPORTED || y.kind == Kind.UNSUPPORTED) {
                return math.nanResult(true);
            }
            boolean undefined = x.kind == Kind.INFINITY
                    ? y.kind == Kind.ZERO || x.negative
                    : x.kind == Kind.ZERO && y.kind == Kind.INFINITY;
            if (undefined) {
                return math.invalidResult();
            }
            denormal(math, x.denormal || y.denormal);
            if (x.kind == Kind.INFINITY || y.kind == Kind.INFINITY) {
                return math.infiniteResult(y.negative != x.negative);
            }
            if (x.kind == Kind.ZERO || y.kind == Kind.ZERO) {
                return math.zeroResult(y.negative != x.negative);
            }
            if (x.negative && x.exponent >= 0) {
                return outOfRange(math, x, x.exponent);
            }
            if (x.exponent < TINY) {
                BigInteger factors = BigInteger.valueOf(x.significand)
                        .add(BigInteger.ONE.shiftLeft(64))
                        .multiply(HighPrecision.LOG2_E);
                // near zero log2(1 + x) is x / ln 2 less half of its square
                BigInteger magnitude = x.negative ? factors.add(BigInteger.ONE) : factors.subtract(BigInteger.ONE);
                return product(math, x.negative != y.negative, y.exponent + x.exponent - 63, y.significand, magnitude);
            }
            return product(math, y.negative, y.exponent, y.significand, HighPrecision.logarithmOfOnePlus(x));
        }
    };

    private static final long TOP = 1L << 63;

    /** Below this exponent one term of the series is enough, and its successor decides the rounding. */
    private static final int SMALL = -40;

    private static final int TINY = -80;
    private static final int FAR = 80;

    abstract long apply(FloatMath math, Operand first, Operand second);

    private static void denormal(FloatMath math, boolean denormal) {
        math.flags |= denormal ? FloatMath.DENORMAL : 0;
    }

    private static BigInteger signed(BigInteger magnitude, boolean negative) {
        return negative ? magnitude.negate() : magnitude;
    }

    /** The manuals leave the result undefined; AMD processors give the argument back, as inexact. */
    private static long outOfRange(FloatMath math, Operand x, int exponent) {
        math.flags |= FloatMath.INEXACT;
        return math.rounded(x.negative, exponent, x.significand, 0);
    }

    /** A number a little nearer to zero than {@code x}. */
    private static long justBelow(FloatMath math, Operand x) {
        return x.significand == TOP
                ? math.rounded(x.negative, x.exponent - 1, -1L, -1L)
                : math.rounded(x.negative, x.exponent, x.significand - 1, -1L);
    }

    private static long quotientJustBelow(FloatMath math, Operand y, Operand x) {
        BigInteger quotient = unsigned(y.significand)
                .shiftLeft(128)
                .divide(unsigned(x.significand))
                .subtract(BigInteger.ONE);
        return rounded(math, signed(quotient, y.negative), y.exponent - x.exponent - 128 + HighPrecision.BITS);
    }

    static BigInteger unsigned(long value) {
        return new BigInteger(Long.toUnsignedString(value));
    }

    /** {@code significand / 2^63 * 2^exponent * factor}. */
    private static long product(FloatMath math, boolean negative, int exponent, long significand, BigInteger factor) {
        return rounded(math, signed(unsigned(significand).multiply(factor), negative), exponent - 63);
    }

    /** A fixed-point number times a power of two, rounded once. */
    private static long rounded(FloatMath math, BigInteger fixed, int exponent) {
        if (fixed.signum() == 0) {
            return math.zeroResult(false);
        }
        BigInteger magnitude = fixed.abs();
        int length = magnitude.bitLength();
        BigInteger cut = length > 128 ? magnitude.shiftRight(length - 128) : magnitude.shiftLeft(128 - length);
        boolean sticky = length > 128 && magnitude.getLowestSetBit() < length - 128;
        long high = cut.shiftRight(64).longValue();
        long low = cut.longValue() | (sticky ? 1 : 0);
        return math.rounded(fixed.signum() < 0, length - 1 - HighPrecision.BITS + exponent, high, low);
    }
}
