package kvasir.metal.cpu.fp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The oracle is exact decimal arithmetic and Java's own nearest-even doubles, never {@link FloatMath} itself. */
final class FloatMathTest {
    private static final int CASES = 15_000;

    private final FloatMath sse = new FloatMath(false);

    private void mode(Rounding rounding) {
        sse.control(0x1f80 | rounding.ordinal() << 13);
        sse.flags = 0;
    }

    /** Doubles that meet each other: close exponents, few bits, denormals, extremes. */
    private static double operand(SplittableRandom random) {
        long fraction = random.nextLong() >>> 12;
        switch (random.nextInt(4)) {
            case 0 -> fraction &= -1L << 40 & (1L << 52) - 1;
            case 1 -> fraction |= (1L << 45) - 1;
            default -> {}
        }
        int exponent = switch (random.nextInt(6)) {
            case 0 -> random.nextInt(3);
            case 1 -> 2046 - random.nextInt(3);
            case 2 -> random.nextInt(1, 2046);
            default -> 1023 + random.nextInt(-60, 60);
        };
        return Double.longBitsToDouble(random.nextLong() & 1L << 63 | (long) exponent << 52 | fraction);
    }

    private static BigDecimal exact(double value) {
        return new BigDecimal(value);
    }

    /** {@code order} is the sign of (exact result - candidate), for any candidate. */
    private interface Exact {
        int compareTo(double candidate);
    }

    private static void assertRounded(Rounding rounding, Exact exact, double actual, int flags, String what) {
        double below = Math.nextDown(actual);
        double above = Math.nextUp(actual);
        if (Double.isInfinite(actual)) {
            assertTrue((flags & FloatMath.OVERFLOW) != 0, what);
            double largest = Math.copySign(Double.MAX_VALUE, actual);
            assertTrue(actual > 0 ? exact.compareTo(largest) > 0 : exact.compareTo(largest) < 0, what);
            return;
        }
        int order = exact.compareTo(actual);
        assertEquals(order != 0, (flags & FloatMath.INEXACT) != 0, what + " inexact");
        boolean upIsHere = order <= 0 && (Double.isInfinite(below) || exact.compareTo(below) > 0);
        boolean downIsHere = order >= 0 && (Double.isInfinite(above) || exact.compareTo(above) < 0);
        switch (rounding) {
            case UP -> assertTrue(upIsHere, what);
            case DOWN -> assertTrue(downIsHere, what);
            case ZERO ->
                assertTrue(actual > 0 || (actual == 0 && exact.compareTo(0) >= 0) ? downIsHere : upIsHere, what);
            case NEAREST -> throw new AssertionError("compared with Java directly");
        }
    }

    @ParameterizedTest
    @EnumSource(Rounding.class)
    void basicArithmeticIsCorrectlyRounded(Rounding rounding) {
        var random = new SplittableRandom(7);
        for (int i = 0; i < CASES; i++) {
            double x = operand(random);
            double y = operand(random);
            double z = operand(random);
            long xb = Double.doubleToRawLongBits(x);
            long yb = Double.doubleToRawLongBits(y);
            long zb = Double.doubleToRawLongBits(z);
            mode(rounding);
            double sum = Double.longBitsToDouble(sse.add(Format.DOUBLE, xb, yb));
            int sumFlags = sse.flags;
            sse.flags = 0;
            double product = Double.longBitsToDouble(sse.multiply(Format.DOUBLE, xb, yb));
            int productFlags = sse.flags;
            sse.flags = 0;
            double fused = Double.longBitsToDouble(sse.multiplyAdd(Format.DOUBLE, xb, yb, zb, false, false));
            int fusedFlags = sse.flags;
            sse.flags = 0;
            double quotient = y == 0 ? 0 : Double.longBitsToDouble(sse.divide(Format.DOUBLE, xb, yb));
            int quotientFlags = sse.flags;
            sse.flags = 0;
            double root = Double.longBitsToDouble(sse.squareRoot(Format.DOUBLE, xb & Long.MAX_VALUE));
            int rootFlags = sse.flags;
            String what = rounding + " " + x + " " + y + " " + z;
            if (rounding == Rounding.NEAREST) {
                assertBits(x + y, sum, what);
                assertBits(x * y, product, what);
                assertBits(Math.fma(x, y, z), fused, what);
                if (y != 0) {
                    assertBits(x / y, quotient, what);
                }
                assertBits(Math.sqrt(Math.abs(x)), root, what);
                continue;
            }
            BigDecimal ex = exact(x);
            BigDecimal ey = exact(y);
            assertRounded(rounding, d -> ex.add(ey).compareTo(exact(d)), sum, sumFlags, what);
            assertRounded(rounding, d -> ex.multiply(ey).compareTo(exact(d)), product, productFlags, what);
            assertRounded(rounding, d -> ex.multiply(ey).add(exact(z)).compareTo(exact(d)), fused, fusedFlags, what);
            if (y != 0) {
                assertRounded(
                        rounding,
                        d -> ex.compareTo(exact(d).multiply(ey)) * ey.signum(),
                        quotient,
                        quotientFlags,
                        what);
            }
            assertRounded(
                    rounding, d -> d < 0 ? 1 : ex.abs().compareTo(exact(d).multiply(exact(d))), root, rootFlags, what);
        }
    }

    @Test
    void narrowingAndIntegersAgreeWithJava() {
        var random = new SplittableRandom(9);
        for (int i = 0; i < CASES; i++) {
            double x = operand(random);
            long bits = Double.doubleToRawLongBits(x);
            mode(Rounding.NEAREST);
            sse.first(Format.DOUBLE, bits);
            assertEquals(Float.floatToRawIntBits((float) x), (int) sse.convert(Format.SINGLE), () -> "to single " + x);
            int single = random.nextInt();
            if (!Float.isNaN(Float.intBitsToFloat(single))) {
                sse.first(Format.SINGLE, single);
                assertBits(Float.intBitsToFloat(single), Double.longBitsToDouble(sse.convert(Format.DOUBLE)), "widen");
                short half = Float.floatToFloat16(Float.intBitsToFloat(single));
                sse.first(Format.SINGLE, single);
                assertEquals(half, (short) sse.convert(Format.HALF), "to half");
            }
            sse.rounding(Rounding.ZERO);
            sse.first(Format.DOUBLE, bits);
            sse.flags = 0;
            long integer = sse.toInteger(64);
            if (Math.abs(x) < 0x1p63) {
                assertEquals((long) x, integer);
                assertEquals(x != Math.rint(x) ? FloatMath.INEXACT : 0, sse.flags);
            } else {
                assertEquals(Long.MIN_VALUE, integer);
                assertEquals(x == -0x1p63 ? 0 : FloatMath.INVALID, sse.flags);
            }
            long value = random.nextLong() >> random.nextInt(63);
            sse.rounding(Rounding.NEAREST);
            assertBits((double) value, Double.longBitsToDouble(sse.fromInteger(Format.DOUBLE, value)), "from integer");
            sse.first(Format.DOUBLE, bits);
            assertBits(Math.rint(x), Double.longBitsToDouble(sse.roundToIntegral(Format.DOUBLE, false)), "rint");
        }
    }

    @Test
    void specialValuesFollowTheManual() {
        mode(Rounding.NEAREST);
        long infinity = 0x7ff0_0000_0000_0000L;
        long indefinite = 0xfff8_0000_0000_0000L;
        assertEquals(indefinite, sse.subtract(Format.DOUBLE, infinity, infinity));
        assertEquals(FloatMath.INVALID, sse.flags);
        sse.flags = 0;
        assertEquals(infinity, sse.divide(Format.DOUBLE, 0x3ff0_0000_0000_0000L, 0));
        assertEquals(FloatMath.DIVIDE_BY_ZERO, sse.flags);
        sse.flags = 0;
        // a signalling NaN is quieted, and the first NaN operand wins in SSE
        assertEquals(0x7ff8_0000_0000_0001L, sse.add(Format.DOUBLE, 0x7ff0_0000_0000_0001L, 0x7ff8_0000_0000_0002L));
        assertEquals(FloatMath.INVALID, sse.flags);
        sse.flags = 0;
        // MINSD gives the second operand when either is a NaN, unquieted
        assertEquals(0x7ff0_0000_0000_0001L, sse.minimum(Format.DOUBLE, 0, 0x7ff0_0000_0000_0001L));
        assertEquals(FloatMath.INVALID, sse.flags);
        sse.flags = 0;
        // the largest finite number is what directed rounding gives on overflow
        mode(Rounding.ZERO);
        assertEquals(
                0x7fef_ffff_ffff_ffffL, sse.multiply(Format.DOUBLE, 0x7fef_ffff_ffff_ffffL, 0x4000_0000_0000_0000L));
        assertEquals(FloatMath.OVERFLOW | FloatMath.INEXACT, sse.flags);
    }

    @Test
    void flushToZeroAndDenormalsAreZero() {
        sse.control(0x1f80 | 1 << 15 | 1 << 6);
        sse.flags = 0;
        assertEquals(0, sse.multiply(Format.DOUBLE, 0x0010_0000_0000_0000L, 0x3fe0_0000_0000_0000L));
        assertEquals(FloatMath.UNDERFLOW | FloatMath.INEXACT, sse.flags);
        sse.flags = 0;
        assertEquals(0x3ff0_0000_0000_0000L, sse.add(Format.DOUBLE, 0x3ff0_0000_0000_0000L, 1));
        assertEquals(0, sse.flags);
    }

    @Test
    void extendedArithmeticKeepsSixtyFourBits() {
        var x87 = new FloatMath(true);
        x87.controlX87(0x037f);
        x87.firstExtended(0x3fff, 0x8000_0000_0000_0000L);
        x87.secondExtended(0x3fff, 0xc000_0000_0000_0000L);
        // 1 / 1.5 = 0.AAAA... rounded to nearest in 64 bits
        assertEquals(0xaaaa_aaaa_aaaa_aaabL, x87.divide(Format.EXTENDED));
        assertEquals(0x3ffe, x87.signExponent);
        assertEquals(FloatMath.INEXACT, x87.flags);
        assertTrue(x87.roundedUp);
        x87.controlX87(0x027f);
        x87.firstExtended(0x3fff, 0x8000_0000_0000_0000L);
        x87.secondExtended(0x3fff, 0xc000_0000_0000_0000L);
        assertEquals(0xaaaa_aaaa_aaaa_a800L, x87.divide(Format.EXTENDED));
        x87.controlX87(0x037f);
        x87.flags = 0;
        x87.firstExtended(0x4000, 0x4000_0000_0000_0000L);
        x87.secondExtended(0x3fff, 0x8000_0000_0000_0000L);
        assertEquals(0xc000_0000_0000_0000L, x87.add(Format.EXTENDED), "an unnormal is an invalid operand");
        assertEquals(0xffff, x87.signExponent);
        assertEquals(FloatMath.INVALID, x87.flags);
    }

    private static void assertBits(double expected, double actual, String what) {
        assertEquals(Double.doubleToRawLongBits(expected), Double.doubleToRawLongBits(actual), what);
    }
}
