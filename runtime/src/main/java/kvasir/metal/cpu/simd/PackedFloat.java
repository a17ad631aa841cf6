package kvasir.metal.cpu.simd;

import static kvasir.metal.cpu.simd.Elements.get;
import static kvasir.metal.cpu.simd.Elements.put;

import java.util.HashMap;
import java.util.Map;
import kvasir.metal.cpu.fp.FloatMath;
import kvasir.metal.cpu.fp.FloatMath.Relation;
import kvasir.metal.cpu.fp.Format;
import kvasir.metal.cpu.fp.Rounding;

/** Packed and scalar floating-point arithmetic, comparisons, conversions, rounding (SDM volume 2). */
final class PackedFloat {
    private PackedFloat() {}

    /** Arithmetic on two elements. */
    @FunctionalInterface
    private interface Binary {
        long apply(FloatMath fp, Format format, long a, long b);
    }

    /** Operations by their mnemonic without the V of VEX forms. A scalar form copies the rest from the first source. */
    static Map<String, VectorOp> operations() {
        Map<String, VectorOp> operations = new HashMap<>();
        four(operations, "ADD", FloatMath::add);
        four(operations, "SUB", FloatMath::subtract);
        four(operations, "MUL", FloatMath::multiply);
        four(operations, "DIV", FloatMath::divide);
        four(operations, "MIN", FloatMath::minimum);
        four(operations, "MAX", FloatMath::maximum);
        four(operations, "SQRT", (fp, format, a, b) -> fp.squareRoot(format, b));
        Binary reciprocal = (fp, format, a, b) -> Approximation.reciprocal((int) b) & 0xffff_ffffL;
        Binary reciprocalRoot = (fp, format, a, b) -> Approximation.reciprocalRoot((int) b) & 0xffff_ffffL;
        operations.put("RCPPS", packed(Format.SINGLE, reciprocal));
        operations.put("RCPSS", scalar(Format.SINGLE, reciprocal));
        operations.put("RSQRTPS", packed(Format.SINGLE, reciprocalRoot));
        operations.put("RSQRTSS", scalar(Format.SINGLE, reciprocalRoot));
        for (Format format : new Format[] {Format.SINGLE, Format.DOUBLE}) {
            String packed = format == Format.SINGLE ? "PS" : "PD";
            String scalar = format == Format.SINGLE ? "SS" : "SD";
            operations.put("CMP" + packed, compare(format, false));
            operations.put("CMP" + scalar, compare(format, true));
            operations.put("ROUND" + packed, round(format, false));
            operations.put("ROUND" + scalar, round(format, true));
            operations.put("HADD" + packed, horizontal(format, FloatMath::add));
            operations.put("HSUB" + packed, horizontal(format, FloatMath::subtract));
            operations.put("ADDSUB" + packed, addSubtract(format));
            operations.put("DP" + packed, dotProduct(format));
        }
        conversions(operations);
        return operations;
    }

    private static int bits(Format format) {
        return format == Format.SINGLE ? 32 : 64;
    }

    private static void four(Map<String, VectorOp> operations, String name, Binary binary) {
        operations.put(name + "PS", packed(Format.SINGLE, binary));
        operations.put(name + "PD", packed(Format.DOUBLE, binary));
        operations.put(name + "SS", scalar(Format.SINGLE, binary));
        operations.put(name + "SD", scalar(Format.DOUBLE, binary));
    }

    private static VectorOp packed(Format format, Binary binary) {
        int bits = bits(format);
        return (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < words * 64 / bits; i++) {
                put(d, bits, i, binary.apply(fp, format, get(a, bits, i), get(b, bits, i)));
            }
        };
    }

    private static VectorOp scalar(Format format, Binary binary) {
        int bits = bits(format);
        return (d, a, b, immediate, words, fp) -> {
            long result = binary.apply(fp, format, get(a, bits, 0), get(b, bits, 0));
            d[0] = a[0];
            d[1] = a[1];
            put(d, bits, 0, result);
        };
    }

    private static VectorOp compare(Format format, boolean scalar) {
        int bits = bits(format);
        return (d, a, b, immediate, words, fp) -> {
            int count = scalar ? 1 : words * 64 / bits;
            if (scalar) {
                long result = compareElements(fp, format, get(a, bits, 0), get(b, bits, 0), immediate) ? -1 : 0;
                d[0] = a[0];
                d[1] = a[1];
                put(d, bits, 0, result);
                return;
            }
            for (int i = 0; i < count; i++) {
                put(d, bits, i, compareElements(fp, format, get(a, bits, i), get(b, bits, i), immediate) ? -1 : 0);
            }
        };
    }

    /** One of the 32 predicates (SDM volume 2, CMPPD, table 3-1). */
    private static boolean compareElements(FloatMath fp, Format format, long a, long b, int predicate) {
        fp.first(format, a);
        fp.second(format, b);
        int base = predicate & 7;
        // LT, LE, NLT, NLE signal on quiet NaNs in the first bank and EQ, UNORD, NEQ, ORD in the second, and so on
        boolean ordering = base == 1 || base == 2 || base == 5 || base == 6;
        boolean signals = ordering != ((predicate & 0x10) != 0);
        Relation relation = fp.compare(signals);
        boolean unordered = relation == Relation.UNORDERED;
        boolean low = switch (base) {
            case 0 -> relation == Relation.EQUAL || ((predicate & 8) != 0 && unordered);
            case 1 -> relation == Relation.LESS;
            case 2 -> relation == Relation.LESS || relation == Relation.EQUAL;
            case 3 -> unordered;
            case 4 -> relation != Relation.EQUAL && ((predicate & 8) == 0 || !unordered);
            case 5 -> relation != Relation.LESS;
            case 6 -> relation != Relation.LESS && relation != Relation.EQUAL;
            default -> !unordered;
        };
        if ((predicate & 8) == 0 || base == 0 || base == 4) {
            return low;
        }
        return switch (base) {
            case 1 -> unordered || relation == Relation.LESS;
            case 2 -> unordered || relation == Relation.LESS || relation == Relation.EQUAL;
            case 3 -> false;
            case 5 -> relation == Relation.GREATER || relation == Relation.EQUAL;
            case 6 -> relation == Relation.GREATER;
            default -> true;
        };
    }

    private static VectorOp round(Format format, boolean scalar) {
        int bits = bits(format);
        return (d, a, b, immediate, words, fp) -> {
            Rounding before = fp.rounding();
            if ((immediate & 4) == 0) {
                fp.rounding(Rounding.of(immediate));
            }
            if (scalar) {
                fp.first(format, get(b, bits, 0));
                long result = fp.roundToIntegral(format, (immediate & 8) != 0);
                d[0] = a[0];
                d[1] = a[1];
                put(d, bits, 0, result);
            } else {
                for (int i = 0; i < words * 64 / bits; i++) {
                    fp.first(format, get(b, bits, i));
                    put(d, bits, i, fp.roundToIntegral(format, (immediate & 8) != 0));
                }
            }
            fp.rounding(before);
        };
    }

    private static VectorOp horizontal(Format format, Binary binary) {
        int bits = bits(format);
        int perLane = 128 / bits;
        return (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < words * 64 / bits; i++) {
                int lane = i / perLane * perLane;
                long[] source = i - lane < perLane / 2 ? a : b;
                int pair = lane + 2 * (i - lane) % perLane;
                put(d, bits, i, binary.apply(fp, format, get(source, bits, pair), get(source, bits, pair + 1)));
            }
        };
    }

    private static VectorOp addSubtract(Format format) {
        int bits = bits(format);
        return (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < words * 64 / bits; i++) {
                long x = get(a, bits, i);
                long y = get(b, bits, i);
                put(d, bits, i, (i & 1) == 0 ? fp.subtract(format, x, y) : fp.add(format, x, y));
            }
        };
    }

    /** Three stages, products, sums of pairs, sum: an unmasked exception ends it after its stage. */
    private static VectorOp dotProduct(Format format) {
        int bits = bits(format);
        int perLane = 128 / bits;
        return (d, a, b, immediate, words, fp) -> {
            int elements = words * 64 / bits;
            for (int i = 0; i < elements; i++) {
                boolean wanted = (immediate >>> 4 + i % perLane & 1) != 0;
                put(d, bits, i, wanted ? fp.multiply(format, get(a, bits, i), get(b, bits, i)) : 0);
            }
            for (int distance = 1; distance < perLane; distance *= 2) {
                if (!fp.nextStage()) {
                    return;
                }
                for (int i = 0; i < elements; i += 2 * distance) {
                    put(d, bits, i, fp.add(format, get(d, bits, i), get(d, bits, i + distance)));
                }
            }
            for (int i = elements - 1; i >= 0; i--) {
                long sum = get(d, bits, i / perLane * perLane);
                put(d, bits, i, (immediate >>> i % perLane & 1) != 0 ? sum : 0);
            }
        };
    }

    private static void conversions(Map<String, VectorOp> operations) {
        operations.put("CVTDQ2PS", (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < words * 2; i++) {
                put(d, 32, i, fp.fromInteger(Format.SINGLE, Elements.getSigned(b, 32, i)));
            }
        });
        operations.put("CVTPS2DQ", toIntegers(Format.SINGLE, false));
        operations.put("CVTTPS2DQ", toIntegers(Format.SINGLE, true));
        operations.put("CVTPD2DQ", toIntegers(Format.DOUBLE, false));
        operations.put("CVTTPD2DQ", toIntegers(Format.DOUBLE, true));
        operations.put("CVTDQ2PD", (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < words; i++) {
                d[i] = fp.fromInteger(Format.DOUBLE, Elements.getSigned(b, 32, i));
            }
        });
        operations.put("CVTPS2PD", widen(Format.SINGLE, Format.DOUBLE));
        operations.put("CVTPH2PS", widen(Format.HALF, Format.SINGLE));
        operations.put("CVTPD2PS", (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < words; i++) {
                fp.first(Format.DOUBLE, b[i]);
                put(d, 32, i, fp.convert(Format.SINGLE));
            }
            clearUpperHalf(d, words);
        });
        operations.put("CVTSS2SD", (d, a, b, immediate, words, fp) -> {
            fp.first(Format.SINGLE, b[0] & 0xffff_ffffL);
            long result = fp.convert(Format.DOUBLE);
            d[1] = a[1];
            d[0] = result;
        });
        operations.put("CVTSD2SS", (d, a, b, immediate, words, fp) -> {
            fp.first(Format.DOUBLE, b[0]);
            long result = fp.convert(Format.SINGLE);
            d[1] = a[1];
            d[0] = a[0] & -1L << 32 | result;
        });
    }

    /** Conversion to doublewords; the upper half of a narrowed result is zero. */
    private static VectorOp toIntegers(Format format, boolean truncates) {
        int bits = bits(format);
        return (d, a, b, immediate, words, fp) -> {
            Rounding before = fp.rounding();
            if (truncates) {
                fp.rounding(Rounding.ZERO);
            }
            for (int i = 0; i < words * 64 / bits; i++) {
                fp.first(format, get(b, bits, i));
                put(d, 32, i, fp.toInteger(32));
            }
            fp.rounding(before);
            if (format == Format.DOUBLE) {
                clearUpperHalf(d, words);
            }
        };
    }

    private static void clearUpperHalf(long[] d, int words) {
        for (int i = words / 2; i < words; i++) {
            d[i] = 0;
        }
    }

    private static VectorOp widen(Format from, Format to) {
        int bits = from == Format.HALF ? 16 : 32;
        return (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < words * 64 / bits(to); i++) {
                fp.first(from, get(b, bits, i));
                put(d, bits(to), i, fp.convert(to));
            }
        };
    }
}
