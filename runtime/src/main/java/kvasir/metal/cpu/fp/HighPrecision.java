package kvasir.metal.cpu.fp;

import java.math.BigInteger;

/** Elementary functions in fixed point with {@link #BITS} bits of fraction; errors stay in the last few of them. */
final class HighPrecision {
    /** Enough for 120 significant bits of the smallest results that callers ask for. */
    static final int BITS = 320;

    static final BigInteger ONE = BigInteger.ONE.shiftLeft(BITS);
    static final BigInteger PI = pi();
    static final BigInteger LN2 = logarithmOfRatio(BigInteger.ONE, BigInteger.valueOf(3));
    static final BigInteger LOG2_E = ONE.shiftLeft(BITS).divide(LN2);

    /** Half of the pi of 66 bits by which processors reduce arguments. */
    private static final BigInteger HALF_PI = new BigInteger("c90fdaa22168c234c", 16).shiftLeft(BITS - 67);

    private static final BigInteger ROOT2 = BigInteger.TWO.shiftLeft(2 * BITS).sqrt();

    private HighPrecision() {}

    /** Machin: {@code pi = 16 atan(1/5) - 4 atan(1/239)}. */
    private static BigInteger pi() {
        return arcTangentOfInverse(5)
                .shiftLeft(4)
                .subtract(arcTangentOfInverse(239).shiftLeft(2));
    }

    private static BigInteger arcTangentOfInverse(int n) {
        BigInteger square = BigInteger.valueOf((long) n * n);
        BigInteger power = ONE.divide(BigInteger.valueOf(n));
        BigInteger sum = power;
        for (int k = 3; power.signum() != 0; k += 2) {
            power = power.divide(square).negate();
            sum = sum.add(power.divide(BigInteger.valueOf(k)));
        }
        return sum;
    }

    /** A finite operand, cut to the fraction bits. */
    static BigInteger fixed(Operand x) {
        int shift = x.exponent - 63 + BITS;
        BigInteger value = Transcendental.unsigned(x.significand);
        BigInteger shifted = shift >= 0 ? value.shiftLeft(shift) : value.shiftRight(-shift);
        return x.negative ? shifted.negate() : shifted;
    }

    /** {@code a / b * 2^exponent}. */
    static BigInteger ratio(long a, long b, int exponent) {
        return Transcendental.unsigned(a).shiftLeft(BITS + exponent).divide(Transcendental.unsigned(b));
    }

    static BigInteger divide(BigInteger a, BigInteger b) {
        return a.shiftLeft(BITS).divide(b);
    }

    private static BigInteger multiply(BigInteger a, BigInteger b) {
        return a.multiply(b).shiftRight(BITS);
    }

    /** {@code e^x} for small x. */
    static BigInteger exponential(BigInteger x) {
        BigInteger term = ONE;
        BigInteger sum = ONE;
        for (int k = 1; term.signum() != 0 && !term.equals(BigInteger.ONE.negate()); k++) {
            term = multiply(term, x).divide(BigInteger.valueOf(k));
            sum = sum.add(term);
        }
        return sum;
    }

    static BigInteger sine(BigInteger x) {
        return circular(x, 0);
    }

    static BigInteger cosine(BigInteger x) {
        return circular(x, 1);
    }

    private static BigInteger circular(BigInteger x, int quarter) {
        BigInteger[] parts = x.divideAndRemainder(HALF_PI);
        int turns = parts[0].intValue() + quarter;
        BigInteger rest = parts[1];
        BigInteger value = (turns & 1) == 0 ? series(rest, rest, 1) : series(rest, ONE, 0);
        return (turns & 2) == 0 ? value : value.negate();
    }

    /** {@code first - first x^2/((n+1)(n+2)) + ...}. */
    private static BigInteger series(BigInteger x, BigInteger first, int n) {
        BigInteger square = multiply(x, x);
        BigInteger term = first;
        BigInteger sum = first;
        for (int k = n; term.abs().compareTo(BigInteger.ONE) > 0; k += 2) {
            term = multiply(term, square).negate().divide(BigInteger.valueOf((k + 1L) * (k + 2L)));
            sum = sum.add(term);
        }
        return sum;
    }

    /** {@code atan t} for t from 0 to 2. */
    static BigInteger arcTangent(BigInteger t) {
        BigInteger x = t;
        int halvings = 4;
        for (int i = 0; i < halvings; i++) {
            // tan(a/2) = t / (1 + sqrt(1 + t^2))
            BigInteger root = ONE.add(multiply(x, x)).shiftLeft(BITS).sqrt();
            x = divide(x, ONE.add(root));
        }
        BigInteger square = multiply(x, x);
        BigInteger power = x;
        BigInteger sum = x;
        for (int k = 3; power.abs().compareTo(BigInteger.ONE) > 0; k += 2) {
            power = multiply(power, square).negate();
            sum = sum.add(power.divide(BigInteger.valueOf(k)));
        }
        return sum.shiftLeft(halvings);
    }

    /** {@code log2 x}. */
    static BigInteger logarithm(Operand x) {
        BigInteger mantissa = Transcendental.unsigned(x.significand).shiftLeft(BITS - 63);
        int exponent = x.exponent;
        if (mantissa.compareTo(ROOT2) > 0) {
            mantissa = mantissa.shiftRight(1);
            exponent++;
        }
        BigInteger natural = logarithmOfRatio(mantissa.subtract(ONE), mantissa.add(ONE));
        return BigInteger.valueOf(exponent).shiftLeft(BITS).add(multiply(natural, LOG2_E));
    }

    /** {@code log2(1 + x)}. */
    static BigInteger logarithmOfOnePlus(Operand x) {
        BigInteger mantissa = ONE.add(fixed(x));
        int exponent = mantissa.bitLength() - 1 - BITS;
        BigInteger scaled = exponent >= 0 ? mantissa.shiftRight(exponent) : mantissa.shiftLeft(-exponent);
        if (scaled.compareTo(ROOT2) > 0) {
            scaled = scaled.shiftRight(1);
            exponent++;
        }
        BigInteger natural = logarithmOfRatio(scaled.subtract(ONE), scaled.add(ONE));
        return BigInteger.valueOf(exponent).shiftLeft(BITS).add(multiply(natural, LOG2_E));
    }

    /** {@code 2 atanh(a / b)}, which is the logarithm of {@code (b + a) / (b - a)}. */
    private static BigInteger logarithmOfRatio(BigInteger a, BigInteger b) {
        BigInteger z = divide(a, b);
        BigInteger square = multiply(z, z);
        BigInteger power = z;
        BigInteger sum = z;
        for (int k = 3; power.abs().compareTo(BigInteger.ONE) > 0; k += 2) {
            power = multiply(power, square);
            sum = sum.add(power.divide(BigInteger.valueOf(k)));
        }
        return sum.shiftLeft(1);
    }
}
