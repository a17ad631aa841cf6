package kvasir.metal.cpu.fp;

import kvasir.metal.cpu.fp.Operand.Kind;

/**
 * IEEE arithmetic under one rounding control, collecting exception flags: the SSE unit and the x87 unit of a processor
 * each have one.
 *
 * <p>Packed operands of {@link Format#HALF}, {@link Format#SINGLE} and {@link Format#DOUBLE} are the low bits of a
 * {@code long}. An {@link Format#EXTENDED} number is a sign-and-exponent word and a 64-bit significand; an operation
 * that yields one returns the significand and leaves the word in {@link #signExponent}.
 *
 * <p>An operation works on the operands loaded last with {@code first} and {@code second}; the shorthands that take
 * bits load them. {@link #flags} is sticky: the caller clears it before an instruction and looks at it after.
 *
 * <p>Rules: SDM volume 1, 4.8 to 4.9, 8.5 (x87), 11.5 (SSE); tininess is detected after rounding.
 */
public final class FloatMath {
    public static final int INVALID = 1;
    public static final int DENORMAL = 2;
    public static final int DIVIDE_BY_ZERO = 4;
    public static final int OVERFLOW = 8;
    public static final int UNDERFLOW = 16;
    public static final int INEXACT = 32;

    /** Exponent adjustment of an x87 result whose overflow or underflow is not masked (SDM volume 1, 8.5.4). */
    private static final int X87_BIAS_ADJUSTMENT = 24576;

    private static final long TOP = 1L << 63;
    private static final long QUIET = 1L << 62;

    /** Exception flags raised since the caller last cleared them. */
    public int flags;
    /** Flags of the stages of the present instruction that are through, see {@link #nextStage}. */
    public int settled;
    /** Sign and biased exponent of the last extended result. */
    public int signExponent;
    /** Whether the last result was rounded away from zero (x87 C1). */
    public boolean roundedUp;

    /** Low three bits of the quotient of the last {@link #remainder}, or -1 if that is only partial. */
    public int quotient;

    private final boolean x87;
    private Rounding rounding = Rounding.NEAREST;
    private boolean denormalsAreZero;
    private boolean flushToZero;
    private int masks = 0x3f;

    /** Whether an inexact result is masked and would tell nothing new: MXCSR has the flag already. */
    private boolean inexactIsOld;

    /** What {@link HostArithmetic} may do under this control word. */
    public int hostMay = HostArithmetic.NEVER;

    private int extendedPrecision = 64;

    private final Operand a = new Operand();
    private final Operand b = new Operand();
    private final Operand c = new Operand();
    private boolean inexact;
    private long high;
    private long low;

    /** @param x87 whether NaN selection and unmasked results follow the x87 rules; otherwise those of SSE */
    public FloatMath(boolean x87) {
        this.x87 = x87;
    }

    /** Sets rounding, DAZ, FTZ and masks from MXCSR (bits 14:13, 6, 15, 12:7). */
    public void control(int mxcsr) {
        rounding = Rounding.of(mxcsr >>> 13);
        denormalsAreZero = (mxcsr & 1 << 6) != 0;
        flushToZero = (mxcsr & 1 << 15) != 0;
        masks = mxcsr >>> 7 & 0x3f;
        inexactIsOld = (masks & INEXACT) != 0 && (mxcsr & INEXACT) != 0;
        hostMay = hostMay();
    }

    /** Sets rounding, precision and masks from the x87 control word (bits 11:10, 9:8, 5:0). */
    public void controlX87(int controlWord) {
        rounding = Rounding.of(controlWord >>> 10);
        extendedPrecision = switch (controlWord >>> 8 & 3) {
            case 0 -> 24;
            case 2 -> 53;
            default -> 64;
        };
        masks = controlWord & 0x3f;
    }

    /**
     * Ends one stage of an instruction that computes in several: puts the flags aside, or answers false because one is not
     * masked, so that the instruction ends here.
     */
    public boolean nextStage() {
        if ((flags & ~masks & 0x3f) != 0) {
            return false;
        }
        settled |= flags;
        flags = 0;
        return true;
    }

    /** The instruction has not happened after all: it raised nothing. */
    public void forget() {
        flags = 0;
        settled = 0;
    }

    /** Overrides the rounding mode of the control word, as ROUNDSD and the truncating conversions do. */
    public void rounding(Rounding mode) {
        rounding = mode;
        hostMay = hostMay();
    }

    /** The rounding mode in force. */
    public Rounding rounding() {
        return rounding;
    }

    private int hostMay() {
        if (x87 || rounding != Rounding.NEAREST) {
            return HostArithmetic.NEVER;
        }
        return inexactIsOld ? HostArithmetic.ALWAYS : HostArithmetic.IF_EXACT;
    }

    /** Loads the first operand. */
    public void first(Format format, long bits) {
        a.unpack(format, bits, denormalsAreZero);
    }

    /** Loads the first operand from an 80-bit register. */
    public void firstExtended(int word, long significand) {
        a.unpackExtended(word, significand);
    }

    /** Loads the second operand. */
    public void second(Format format, long bits) {
        b.unpack(format, bits, denormalsAreZero);
    }

    /** Loads the second operand from an 80-bit register. */
    public void secondExtended(int word, long significand) {
        b.unpackExtended(word, significand);
    }

    /** Loads the first operand from an integer, exactly. */
    public void firstInteger(long value) {
        a.unpackInteger(value);
    }

    /** Loads the second operand from an integer, exactly. */
    public void secondInteger(long value) {
        b.unpackInteger(value);
    }

    /** Extended results are not rounded to the control word's precision: loads. */
    public void exact() {
        extendedPrecision = 64;
    }

    public long add(Format format, long left, long right) {
        long bits = format == Format.DOUBLE
                ? HostArithmetic.add64(left, right, hostMay)
                : HostArithmetic.add32(left, right, hostMay);
        if (bits != HostArithmetic.OTHERWISE) {
            return bits;
        }
        first(format, left);
        second(format, right);
        return add(format);
    }

    public long subtract(Format format, long left, long right) {
        long bits = format == Format.DOUBLE
                ? HostArithmetic.subtract64(left, right, hostMay)
                : HostArithmetic.subtract32(left, right, hostMay);
        if (bits != HostArithmetic.OTHERWISE) {
            return bits;
        }
        first(format, left);
        second(format, right);
        return subtract(format);
    }

    public long multiply(Format format, long left, long right) {
        long bits = format == Format.DOUBLE
                ? HostArithmetic.multiply64(left, right, hostMay)
                : HostArithmetic.multiply32(left, right, hostMay);
        if (bits != HostArithmetic.OTHERWISE) {
            return bits;
        }
        first(format, left);
        second(format, right);
        return multiply(format);
    }

    public long divide(Format format, long left, long right) {
        long bits = format == Format.DOUBLE
                ? HostArithmetic.divide64(left, right, hostMay)
                : HostArithmetic.divide32(left, right, hostMay);
        if (bits != HostArithmetic.OTHERWISE) {
            return bits;
        }
        first(format, left);
        second(format, right);
        return divide(format);
    }

    public long squareRoot(Format format, long operand) {
        long bits = format == Format.DOUBLE
                ? HostArithmetic.squareRoot64(operand, hostMay)
                : HostArithmetic.squareRoot32(operand, hostMay);
        if (bits != HostArithmetic.OTHERWISE) {
            return bits;
        }
        first(format, operand);
        return squareRoot(format);
    }

    /** {@code first + second} in {@code format}. */
    public long add(Format format) {
        return sum(format, b.negative);
    }

    /** {@code first - second} in {@code format}. */
    public long subtract(Format format) {
        return sum(format, !b.negative);
    }

    private long sum(Format format, boolean secondNegative) {
        if (special(a) || special(b)) {
            return nan(format);
        }
        if (a.kind == Kind.INFINITY || b.kind == Kind.INFINITY) {
            if (a.kind == b.kind && a.negative != secondNegative) {
                return invalid(format);
            }
            denormalOperands();
            return infinity(format, a.kind == Kind.INFINITY ? a.negative : secondNegative);
        }
        denormalOperands();
        if (a.kind == Kind.ZERO && b.kind == Kind.ZERO) {
            return zero(format, a.negative == secondNegative ? a.negative : rounding == Rounding.DOWN);
        }
        if (b.kind == Kind.ZERO) {
            return round(format, a.negative, a.exponent, a.significand, 0);
        }
        if (a.kind == Kind.ZERO) {
            return round(format, secondNegative, b.exponent, b.significand, 0);
        }
        return sumFinite(format, a.negative, a.exponent, a.significand, 0, secondNegative, b.exponent, b.significand);
    }

    /** Adds {@code hi:lo * 2^exponent} and {@code significand * 2^otherExponent}, both normalised. */
    private long sumFinite(
            Format format,
            boolean negative,
            int exponent,
            long hi,
            long lo,
            boolean otherNegative,
            int otherExponent,
            long otherSignificand) {
        long smallHigh;
        long smallLow;
        int larger;
        boolean result;
        boolean swap = exponent < otherExponent
                || (exponent == otherExponent && Long.compareUnsigned(hi, otherSignificand) < 0);
        if (swap) {
            shiftRight(hi, lo, otherExponent - exponent);
            smallHigh = high;
            smallLow = low;
            hi = otherSignificand;
            lo = 0;
            larger = otherExponent;
            result = otherNegative;
        } else {
            shiftRight(otherSignificand, 0, exponent - otherExponent);
            smallHigh = high;
            smallLow = low;
            larger = exponent;
            result = negative;
        }
        if (negative == otherNegative) {
            long sumLow = lo + smallLow;
            long carry = Long.compareUnsigned(sumLow, lo) < 0 ? 1 : 0;
            long sumHigh = hi + smallHigh;
            boolean overflow = Long.compareUnsigned(sumHigh, hi) < 0;
            sumHigh += carry;
            overflow |= carry != 0 && sumHigh == 0;
            if (overflow) {
                sumLow = sumLow >>> 1 | sumHigh << 63 | sumLow & 1;
                sumHigh = sumHigh >>> 1 | TOP;
                larger++;
            }
            return round(format, result, larger, sumHigh, sumLow);
        }
        long differenceLow = lo - smallLow;
        long differenceHigh = hi - smallHigh - (Long.compareUnsigned(lo, smallLow) < 0 ? 1 : 0);
        if ((differenceHigh | differenceLow) == 0) {
            return zero(format, rounding == Rounding.DOWN);
        }
        int shift = differenceHigh != 0
                ? Long.numberOfLeadingZeros(differenceHigh)
                : 64 + Long.numberOfLeadingZeros(differenceLow);
        return round(
                format,
                result,
                larger - shift,
                shiftLeftHigh(differenceHigh, differenceLow, shift),
                shift >= 64 ? 0 : differenceLow << shift);
    }

    /** {@code first * second} in {@code format}. */
    public long multiply(Format format) {
        if (special(a) || special(b)) {
            return nan(format);
        }
        boolean negative = a.negative != b.negative;
        if (a.kind == Kind.INFINITY || b.kind == Kind.INFINITY) {
            if (a.kind == Kind.ZERO || b.kind == Kind.ZERO) {
                return invalid(format);
            }
            denormalOperands();
            return infinity(format, negative);
        }
        denormalOperands();
        if (a.kind == Kind.ZERO || b.kind == Kind.ZERO) {
            return zero(format, negative);
        }
        int exponent = product();
        return round(format, negative, exponent, high, low);
    }

    /** Leaves the normalised product of the significands in {@code high:low} and returns its exponent. */
    private int product() {
        high = Math.unsignedMultiplyHigh(a.significand, b.significand);
        low = a.significand * b.significand;
        if (high < 0) {
            return a.exponent + b.exponent + 1;
        }
        high = high << 1 | low >>> 63;
        low <<= 1;
        return a.exponent + b.exponent;
    }

    /** {@code first / second} in {@code format}. */
    public long divide(Format format) {
        if (special(a) || special(b)) {
            return nan(format);
        }
        boolean negative = a.negative != b.negative;
        if (a.kind == Kind.INFINITY) {
            if (b.kind == Kind.INFINITY) {
                return invalid(format);
            }
            denormalOperands();
            return infinity(format, negative);
        }
        if (b.kind == Kind.ZERO) {
            if (a.kind == Kind.ZERO) {
                return invalid(format);
            }
            flags |= DIVIDE_BY_ZERO;
            return infinity(format, negative);
        }
        denormalOperands();
        if (b.kind == Kind.INFINITY || a.kind == Kind.ZERO) {
            return zero(format, negative);
        }
        int exponent = a.exponent - b.exponent;
        long dividendHigh = a.significand;
        long dividendLow = 0;
        if (Long.compareUnsigned(dividendHigh, b.significand) >= 0) {
            dividendLow = dividendHigh << 63;
            dividendHigh >>>= 1;
        } else {
            exponent--;
        }
        long quotient = divide128(dividendHigh, dividendLow, b.significand);
        long remainder = dividendLow - quotient * b.significand;
        // one more step of long division gives 64 further bits of quotient, and the rest is sticky
        long tail = divide128(remainder, 0, b.significand);
        boolean sticky = -tail * b.significand != 0;
        return round(format, negative, exponent, quotient, tail | (sticky ? 1 : 0));
    }

    /** Square root of the first operand in {@code format}. */
    public long squareRoot(Format format) {
        if (special(a)) {
            return nanOfOne(format, a);
        }
        if (a.kind == Kind.ZERO) {
            return zero(format, a.negative);
        }
        if (a.negative) {
            return invalid(format);
        }
        if (a.denormal) {
            flags |= DENORMAL;
        }
        if (a.kind == Kind.INFINITY) {
            return infinity(format, false);
        }
        // the radicand as a 128-bit integer whose root has exactly 64 bits
        boolean odd = (a.exponent & 1) != 0;
        long radicandHigh = odd ? a.significand : a.significand >>> 1;
        long radicandLow = odd ? 0 : a.significand << 63;
        long root = 0;
        long restHigh = 0;
        long rest = 0;
        long half = 0;
        // digit by digit: 64 bits of root, and one more that decides the rounding
        for (int i = 0; i < 65; i++) {
            restHigh = restHigh << 2 | rest >>> 62;
            rest = rest << 2 | radicandHigh >>> 62;
            radicandHigh = radicandHigh << 2 | radicandLow >>> 62;
            radicandLow <<= 2;
            long trialHigh = root >>> 62;
            long trial = root << 2 | 1;
            boolean fits = notGreater(trialHigh, trial, restHigh, rest);
            if (fits) {
                restHigh -= trialHigh + (Long.compareUnsigned(rest, trial) < 0 ? 1 : 0);
                rest -= trial;
            }
            if (i < 64) {
                root = root << 1 | (fits ? 1 : 0);
            } else {
                half = fits ? TOP : 0;
            }
        }
        long tail = half | ((restHigh | rest) != 0 ? 1 : 0);
        return round(format, false, a.exponent >> 1, root, tail);
    }

    private static boolean notGreater(long trialHigh, long trial, long restHigh, long rest) {
        int top = Long.compareUnsigned(trialHigh, restHigh);
        return top < 0 || (top == 0 && Long.compareUnsigned(trial, rest) <= 0);
    }

    /**
     * Fused multiply and add (SDM volume 2, VFMADD): {@code +-(x * y) +- z}.
     *
     * @param negateProduct as VFNMADD does
     * @param negateAddend as VFMSUB does
     */
    public long multiplyAdd(Format format, long x, long y, long z, boolean negateProduct, boolean negateAddend) {
        long sign = format == Format.DOUBLE ? 1L << 63 : 1L << 31;
        long factor = negateProduct ? x ^ sign : x;
        long addend = negateAddend ? z ^ sign : z;
        long bits = format == Format.DOUBLE
                ? HostArithmetic.multiplyAdd64(factor, y, addend, hostMay)
                : HostArithmetic.multiplyAdd32(factor, y, addend, hostMay);
        if (bits != HostArithmetic.OTHERWISE) {
            return bits;
        }
        a.unpack(format, x, denormalsAreZero);
        b.unpack(format, y, denormalsAreZero);
        c.unpack(format, z, denormalsAreZero);
        boolean multiplyInvalid =
                (a.kind == Kind.INFINITY && b.kind == Kind.ZERO) || (a.kind == Kind.ZERO && b.kind == Kind.INFINITY);
        if (a.isNan() || b.isNan() || c.isNan()) {
            if (a.kind == Kind.SIGNALING_NAN || b.kind == Kind.SIGNALING_NAN || c.kind == Kind.SIGNALING_NAN) {
                flags |= INVALID;
            }
            return quiet(format, a.isNan() ? a : b.isNan() ? b : c);
        }
        if (multiplyInvalid) {
            return invalid(format);
        }
        boolean negative = a.negative != b.negative != negateProduct;
        boolean addendNegative = c.negative != negateAddend;
        boolean infinite = a.kind == Kind.INFINITY || b.kind == Kind.INFINITY;
        if (infinite && c.kind == Kind.INFINITY && negative != addendNegative) {
            return invalid(format);
        }
        if (a.denormal || b.denormal || c.denormal) {
            flags |= DENORMAL;
        }
        if (infinite || c.kind == Kind.INFINITY) {
            return infinity(format, infinite ? negative : addendNegative);
        }
        if (a.kind == Kind.ZERO || b.kind == Kind.ZERO) {
            return c.kind == Kind.ZERO
                    ? zero(format, negative == addendNegative ? negative : rounding == Rounding.DOWN)
                    : round(format, addendNegative, c.exponent, c.significand, 0);
        }
        int exponent = product();
        return c.kind == Kind.ZERO
                ? round(format, negative, exponent, high, low)
                : sumFinite(format, negative, exponent, high, low, addendNegative, c.exponent, c.significand);
    }

    /** Result of a comparison, as UCOMISD and FUCOM see it. */
    public enum Relation {
        LESS,
        EQUAL,
        GREATER,
        UNORDERED
    }

    /**
     * Compares first with second.
     *
     * @param signalQuiet whether a quiet NaN is invalid too (COMISD, FCOM, the ordered-signalling predicates)
     */
    public Relation compare(boolean signalQuiet) {
        if (special(a) || special(b)) {
            if (signalQuiet
                    || a.kind == Kind.SIGNALING_NAN
                    || b.kind == Kind.SIGNALING_NAN
                    || a.kind == Kind.UNSUPPORTED
                    || b.kind == Kind.UNSUPPORTED) {
                flags |= INVALID;
            }
            return Relation.UNORDERED;
        }
        denormalOperands();
        if (a.kind == Kind.ZERO && b.kind == Kind.ZERO) {
            return Relation.EQUAL;
        }
        int order;
        if (a.kind == Kind.ZERO) {
            order = b.negative ? 1 : -1;
        } else if (b.kind == Kind.ZERO || a.negative != b.negative) {
            order = a.negative ? -1 : 1;
        } else {
            int magnitude = compareMagnitudes();
            order = a.negative ? -magnitude : magnitude;
        }
        return order < 0 ? Relation.LESS : order > 0 ? Relation.GREATER : Relation.EQUAL;
    }

    private int compareMagnitudes() {
        if (a.kind == Kind.INFINITY || b.kind == Kind.INFINITY) {
            return Boolean.compare(a.kind == Kind.INFINITY, b.kind == Kind.INFINITY);
        }
        return a.exponent != b.exponent
                ? Integer.compare(a.exponent, b.exponent)
                : Long.compareUnsigned(a.significand, b.significand);
    }

    /** MINSD and its kin: the second operand unless the first is smaller (SDM volume 2, MINSD). */
    public long minimum(Format format, long left, long right) {
        return select(format, left, right, Relation.LESS);
    }

    /** MAXSD and its kin: the second operand unless the first is greater. */
    public long maximum(Format format, long left, long right) {
        return select(format, left, right, Relation.GREATER);
    }

    private long select(Format format, long left, long right, Relation wanted) {
        first(format, left);
        second(format, right);
        boolean takeFirst = compare(true) == wanted;
        Operand taken = takeFirst ? a : b;
        long bits = takeFirst ? left : right;
        return taken.kind == Kind.ZERO ? zero(format, taken.negative) : bits;
    }

    /** The first operand in {@code format}: CVTSS2SD, CVTSD2SS, FLD, FST, VCVTPH2PS ... */
    public long convert(Format format) {
        if (special(a)) {
            return nanOfOne(format, a);
        }
        if (a.denormal) {
            flags |= DENORMAL;
        }
        return switch (a.kind) {
            case ZERO -> zero(format, a.negative);
            case INFINITY -> infinity(format, a.negative);
            default -> round(format, a.negative, a.exponent, a.significand, 0);
        };
    }

    /** A signed integer in {@code format}: CVTSI2SD, FILD. */
    public long fromInteger(Format format, long value) {
        if (format == Format.DOUBLE && value == (int) value) {
            return Double.doubleToRawLongBits((int) value);
        }
        if (value == 0) {
            return zero(format, false);
        }
        long magnitude = Math.abs(value);
        int shift = Long.numberOfLeadingZeros(magnitude);
        return round(format, value < 0, 63 - shift, magnitude << shift, 0);
    }

    /**
     * The first operand as a signed integer of {@code bits} bits (16, 32 or 64): CVTSD2SI, FIST. Out of range, NaN and
     * infinity give the integer indefinite (only the top bit set) and {@link #INVALID}.
     */
    public long toInteger(int bits) {
        long indefinite = -1L << (bits - 1);
        if (a.kind == Kind.ZERO) {
            return 0;
        }
        if (a.kind != Kind.FINITE || a.exponent >= 64) {
            flags |= INVALID;
            return indefinite;
        }
        long magnitude = integerMagnitude();
        boolean fits = magnitude >= 0
                ? magnitude <= ~indefinite || (a.negative && magnitude == -indefinite)
                : a.negative && bits == 64 && magnitude == TOP;
        if (!fits) {
            flags |= INVALID;
            roundedUp = false;
            return indefinite;
        }
        if (inexact) {
            flags |= INEXACT;
        }
        return a.negative ? -magnitude : magnitude;
    }

    /** Rounds |first|, which is below 2^64, to an integer. */
    private long integerMagnitude() {
        if (a.exponent >= 63) {
            inexact = false;
            roundedUp = false;
            return a.significand;
        }
        shiftRight(a.significand, 0, 63 - a.exponent);
        long whole = high;
        return roundTo(64, a.negative, whole, low);
    }

    /**
     * The first operand rounded to an integral value in {@code format}: ROUNDSD, FRNDINT.
     *
     * @param quietInexact whether {@link #INEXACT} stays clear (ROUNDSD with imm8[3])
     */
    public long roundToIntegral(Format format, boolean quietInexact) {
        if (special(a)) {
            return nanOfOne(format, a);
        }
        if (a.denormal && x87) {
            flags |= DENORMAL;
        }
        if (a.kind == Kind.ZERO) {
            return zero(format, a.negative);
        }
        if (a.kind == Kind.INFINITY) {
            return infinity(format, a.negative);
        }
        if (a.exponent >= 63) {
            return pack(format, a.negative, a.exponent + format.bias, a.significand);
        }
        long magnitude = integerMagnitude();
        if (inexact && !quietInexact) {
            flags |= INEXACT;
        }
        if (magnitude == 0) {
            return zero(format, a.negative);
        }
        int shift = Long.numberOfLeadingZeros(magnitude);
        return pack(format, a.negative, 63 - shift + format.bias, magnitude << shift);
    }

    /** FSCALE: first times two to the power of second, which is cut to an integer. */
    public long scale() {
        if (special(a) || special(b)) {
            return nan(Format.EXTENDED);
        }
        boolean down = b.negative;
        if (b.kind == Kind.INFINITY) {
            boolean undefined = down ? a.kind == Kind.INFINITY : a.kind == Kind.ZERO;
            if (undefined) {
                return invalid(Format.EXTENDED);
            }
            denormalOperands();
            boolean vanishes = down || a.kind == Kind.ZERO;
            return vanishes ? zero(Format.EXTENDED, a.negative) : infinity(Format.EXTENDED, a.negative);
        }
        denormalOperands();
        if (a.kind == Kind.ZERO) {
            return zero(Format.EXTENDED, a.negative);
        }
        if (a.kind == Kind.INFINITY) {
            return infinity(Format.EXTENDED, a.negative);
        }
        int by = 0;
        if (b.kind == Kind.FINITE && b.exponent >= 0) {
            by = b.exponent > 16 ? 1 << 17 : (int) (b.significand >>> (63 - b.exponent));
        }
        return round(Format.EXTENDED, a.negative, a.exponent + (down ? -by : by), a.significand, 0);
    }

    /** FXTRACT: the exponent of first as a number. */
    public long extractExponent() {
        if (special(a)) {
            return nanOfOne(Format.EXTENDED, a);
        }
        if (a.kind == Kind.ZERO) {
            flags |= DIVIDE_BY_ZERO;
            return infinity(Format.EXTENDED, true);
        }
        if (a.kind == Kind.INFINITY) {
            return infinity(Format.EXTENDED, false);
        }
        if (a.denormal) {
            flags |= DENORMAL;
        }
        return fromInteger(Format.EXTENDED, a.exponent);
    }

    /** FXTRACT: first with exponent 0. */
    public long extractSignificand() {
        if (special(a)) {
            return nanOfOne(Format.EXTENDED, a);
        }
        return switch (a.kind) {
            case ZERO -> zero(Format.EXTENDED, a.negative);
            case INFINITY -> infinity(Format.EXTENDED, a.negative);
            default -> pack(Format.EXTENDED, a.negative, Format.EXTENDED.bias, a.significand);
        };
    }

    /**
     * FPREM and FPREM1: the remainder of first by second. If the exponents are 64 or more apart the result is partial: a
     * number with the same remainder, whose exponent is smaller.
     *
     * @param nearest whether the quotient is rounded to nearest (FPREM1) instead of cut (FPREM)
     */
    public long remainder(boolean nearest) {
        quotient = 0;
        if (special(a) || special(b)) {
            return nan(Format.EXTENDED);
        }
        if (a.kind == Kind.INFINITY || b.kind == Kind.ZERO) {
            return invalid(Format.EXTENDED);
        }
        denormalOperands();
        if (a.kind == Kind.ZERO) {
            return zero(Format.EXTENDED, a.negative);
        }
        int distance = a.exponent - b.exponent;
        if (b.kind == Kind.INFINITY || distance < -1 || (distance < 0 && !nearest)) {
            return round(Format.EXTENDED, a.negative, a.exponent, a.significand, 0);
        }
        if (distance < 0) {
            return remainderBelowDivisor();
        }
        boolean partial = distance >= 64;
        int steps = partial ? distance & 31 | 32 : distance;
        boolean negative = a.negative;
        int exponent = partial ? a.exponent - steps : b.exponent;
        long rest = a.significand;
        int digits = 0;
        boolean carry = false;
        for (int i = 0; i <= steps; i++) {
            digits <<= 1;
            if (carry || Long.compareUnsigned(rest, b.significand) >= 0) {
                rest -= b.significand;
                digits |= 1;
            }
            if (i < steps) {
                carry = rest < 0;
                rest <<= 1;
            }
        }
        if (nearest && !partial) {
            long gap = b.significand - rest;
            int order = Long.compareUnsigned(rest, gap);
            if (order > 0 || (order == 0 && (digits & 1) != 0)) {
                digits++;
                negative = !negative;
                rest = gap;
            }
        }
        quotient = partial ? -1 : digits & 7;
        if (rest == 0) {
            return zero(Format.EXTENDED, a.negative);
        }
        int shift = Long.numberOfLeadingZeros(rest);
        return round(Format.EXTENDED, negative, exponent - shift, rest << shift, 0);
    }

    /** FPREM1 where first's exponent is one less than second's: the quotient is 0 or 1. */
    private long remainderBelowDivisor() {
        if (Long.compareUnsigned(a.significand, b.significand) <= 0) {
            return round(Format.EXTENDED, a.negative, a.exponent, a.significand, 0);
        }
        quotient = 1;
        long rest = (b.significand << 1) - a.significand;
        int shift = Long.numberOfLeadingZeros(rest);
        return round(Format.EXTENDED, !a.negative, a.exponent - shift, rest << shift, 0);
    }

    /** F2XM1, FYL2X and the other functions of {@link Transcendental}, of first (ST0) and second (ST1). */
    public long transcendental(Transcendental function) {
        return function.apply(this, a, b);
    }

    /** A result that is known beyond the precision of the format; the exactness is that of {@code hi:lo}. */
    long rounded(boolean negative, int exponent, long hi, long lo) {
        return round(Format.EXTENDED, negative, exponent, hi, lo);
    }

    long invalidResult() {
        return invalid(Format.EXTENDED);
    }

    long infiniteResult(boolean negative) {
        return infinity(Format.EXTENDED, negative);
    }

    long zeroResult(boolean negative) {
        return zero(Format.EXTENDED, negative);
    }

    long nanResult(boolean both) {
        return both ? nan(Format.EXTENDED) : nanOfOne(Format.EXTENDED, a);
    }

    private boolean special(Operand operand) {
        return operand.isNan() || operand.kind == Kind.UNSUPPORTED;
    }

    private void denormalOperands() {
        if (a.denormal || b.denormal) {
            flags |= DENORMAL;
        }
    }

    private long nanOfOne(Format format, Operand operand) {
        if (operand.kind == Kind.UNSUPPORTED) {
            return invalid(format);
        }
        if (operand.kind == Kind.SIGNALING_NAN) {
            flags |= INVALID;
        }
        return quiet(format, operand);
    }

    private long nan(Format format) {
        if (a.kind == Kind.UNSUPPORTED || b.kind == Kind.UNSUPPORTED) {
            return invalid(format);
        }
        if (a.kind == Kind.SIGNALING_NAN || b.kind == Kind.SIGNALING_NAN) {
            flags |= INVALID;
        }
        if (!a.isNan() || !b.isNan()) {
            return quiet(format, a.isNan() ? a : b);
        }
        if (!x87) {
            return quiet(format, a);
        }
        // SDM volume 1, table 4-7: a quiet NaN wins over a signalling one, else the larger significand, else the
        // positive
        if (a.kind != b.kind) {
            return quiet(format, a.kind == Kind.QUIET_NAN ? a : b);
        }
        int order = Long.compareUnsigned(a.significand, b.significand);
        boolean takeFirst = order > 0 || (order == 0 && !a.negative);
        return quiet(format, takeFirst ? a : b);
    }

    private long quiet(Format format, Operand nan) {
        roundedUp = false;
        return pack(format, nan.negative, (1 << format.exponentBits) - 1, nan.significand | QUIET);
    }

    private long invalid(Format format) {
        flags |= INVALID;
        roundedUp = false;
        return indefinite(format);
    }

    /** The quiet NaN that answers an invalid operation. */
    public long indefinite(Format format) {
        return pack(format, true, (1 << format.exponentBits) - 1, TOP | QUIET);
    }

    private long infinity(Format format, boolean negative) {
        roundedUp = false;
        return pack(format, negative, (1 << format.exponentBits) - 1, TOP);
    }

    private long zero(Format format, boolean negative) {
        roundedUp = false;
        return pack(format, negative, 0, 0);
    }

    private int precision(Format format) {
        return format == Format.EXTENDED ? extendedPrecision : format.precision;
    }

    private long round(Format format, boolean negative, int exponent, long hi, long lo) {
        int precision = precision(format);
        if (exponent < format.minimum) {
            return roundTiny(format, precision, negative, exponent, hi, lo);
        }
        long significand = roundTo(precision, negative, hi, lo);
        if (significand == 0) {
            significand = TOP;
            exponent++;
        }
        if (exponent > format.maximum) {
            return overflow(format, precision, negative, exponent, significand);
        }
        if (inexact) {
            flags |= INEXACT;
        }
        return pack(format, negative, exponent + format.bias, significand);
    }

    private long roundTiny(Format format, int precision, boolean negative, int exponent, long hi, long lo) {
        long unbounded = roundTo(precision, negative, hi, lo);
        boolean tiny = unbounded != 0 || exponent < format.minimum - 1;
        boolean masked = (masks & UNDERFLOW) != 0;
        if (tiny && masked && flushToZero && format != Format.HALF) {
            flags |= UNDERFLOW | INEXACT;
            return zero(format, negative);
        }
        if (tiny && !masked) {
            flags |= UNDERFLOW | (inexact ? INEXACT : 0);
            int carried = unbounded == 0 ? exponent + 1 : exponent;
            int adjusted = x87 && format == Format.EXTENDED ? carried + X87_BIAS_ADJUSTMENT + format.bias : 0;
            if (adjusted <= 0 && x87 && format == Format.EXTENDED) {
                flags |= INEXACT;
                return zero(format, negative);
            }
            return pack(format, negative, adjusted, unbounded == 0 ? TOP : unbounded);
        }
        shiftRight(hi, lo, format.minimum - exponent);
        long significand = roundTo(precision, negative, high, low);
        if (inexact) {
            flags |= INEXACT | (tiny ? UNDERFLOW : 0);
        }
        return pack(format, negative, significand < 0 ? 1 : 0, significand);
    }

    private long overflow(Format format, int precision, boolean negative, int exponent, long significand) {
        flags |= OVERFLOW;
        if ((masks & OVERFLOW) == 0) {
            if (inexact) {
                flags |= INEXACT;
            }
            int adjusted = x87 && format == Format.EXTENDED ? exponent - X87_BIAS_ADJUSTMENT + format.bias : 0;
            if (adjusted >= 0x7fff) {
                flags |= INEXACT;
                long infinite = infinity(format, negative);
                roundedUp = true;
                return infinite;
            }
            return pack(format, negative, adjusted, significand);
        }
        flags |= INEXACT;
        boolean toInfinity = rounding == Rounding.NEAREST
                || (rounding == Rounding.UP && !negative)
                || (rounding == Rounding.DOWN && negative);
        roundedUp = toInfinity;
        return toInfinity
                ? pack(format, negative, (1 << format.exponentBits) - 1, TOP)
                : pack(format, negative, format.maximum + format.bias, -1L << (64 - precision));
    }

    /** Rounds a significand to its top {@code precision} bits; 0 means that it carried out. */
    private long roundTo(int precision, boolean negative, long hi, long lo) {
        int drop = 64 - precision;
        long kept = hi >>> drop << drop;
        long rest = drop == 0 ? lo : hi << precision | (lo != 0 ? 1 : 0);
        inexact = rest != 0;
        boolean up = switch (rounding) {
            case NEAREST -> rest < 0 && (rest != TOP || (kept >>> drop & 1) != 0);
            case DOWN -> inexact && negative;
            case UP -> inexact && !negative;
            case ZERO -> false;
        };
        roundedUp = up;
        return up ? kept + (1L << drop) : kept;
    }

    /** Shifts {@code hi:lo} right into {@code high:low}, keeping what falls out as a sticky bit. */
    private void shiftRight(long hi, long lo, int distance) {
        if (distance == 0) {
            high = hi;
            low = lo;
        } else if (distance < 64) {
            high = hi >>> distance;
            low = hi << (64 - distance) | lo >>> distance | (lo << (64 - distance) != 0 ? 1 : 0);
        } else if (distance < 128) {
            boolean sticky = lo != 0 || (distance > 64 && hi << (128 - distance) != 0);
            high = 0;
            low = hi >>> (distance - 64) | (sticky ? 1 : 0);
        } else {
            high = 0;
            low = (hi | lo) != 0 ? 1 : 0;
        }
    }

    private static long shiftLeftHigh(long hi, long lo, int distance) {
        if (distance == 0) {
            return hi;
        }
        return distance < 64 ? hi << distance | lo >>> (64 - distance) : lo << (distance - 64);
    }

    /** {@code (hi:lo) / divisor} for a divisor with its top bit set and {@code hi < divisor}. */
    private static long divide128(long hi, long lo, long divisor) {
        long divisorHigh = divisor >>> 32;
        long divisorLow = divisor & 0xffff_ffffL;
        long first = digit(hi, lo >>> 32, divisorHigh, divisorLow);
        long rest = (hi << 32 | lo >>> 32) - first * divisor;
        long second = digit(rest, lo & 0xffff_ffffL, divisorHigh, divisorLow);
        return first << 32 | second & 0xffff_ffffL;
    }

    /** One 32-bit digit of long division: {@code (hi:next) / divisor}, {@code next} having 32 bits. */
    private static long digit(long hi, long next, long divisorHigh, long divisorLow) {
        long digit = Long.divideUnsigned(hi, divisorHigh);
        long rest = hi - digit * divisorHigh;
        while (digit >>> 32 != 0 || Long.compareUnsigned(digit * divisorLow, rest << 32 | next) > 0) {
            digit--;
            rest += divisorHigh;
            if (rest >>> 32 != 0) {
                break;
            }
        }
        return digit;
    }

    private long pack(Format format, boolean negative, int biased, long significand) {
        if (format == Format.EXTENDED) {
            signExponent = (negative ? 0x8000 : 0) | biased & 0x7fff;
            return significand;
        }
        int fractionBits = format.fractionBits();
        long fraction = significand << 1 >>> (64 - fractionBits);
        return (negative ? 1L << (fractionBits + format.exponentBits) : 0)
                | (long) (biased & ((1 << format.exponentBits) - 1)) << fractionBits
                | fraction;
    }
}
