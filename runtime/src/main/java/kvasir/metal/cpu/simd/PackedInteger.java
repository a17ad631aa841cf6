package kvasir.metal.cpu.simd;

import static kvasir.metal.cpu.simd.Elements.saturateSigned;
import static kvasir.metal.cpu.simd.Elements.saturateUnsigned;
import static kvasir.metal.cpu.simd.Elements.signed;
import static kvasir.metal.cpu.simd.Elements.unsigned;

import java.util.HashMap;
import java.util.Map;

/**
 * Packed integer arithmetic, logic, comparisons and shifts, each within 64-bit words: the same for MMX, SSE and AVX
 * (SDM volume 2).
 */
final class PackedInteger {
    private static final int[] SIZES = {8, 16, 32, 64};
    private static final String LETTERS = "BWDQ";

    private PackedInteger() {}

    /** Operations by their mnemonic without the V of VEX forms. */
    static Map<String, VectorOp> operations() {
        Map<String, VectorOp.Word> words = new HashMap<>();
        for (int i = 0; i < 4; i++) {
            int bits = SIZES[i];
            char letter = LETTERS.charAt(i);
            words.put("PADD" + letter, signed(bits, (a, b) -> a + b));
            words.put("PSUB" + letter, signed(bits, (a, b) -> a - b));
            words.put("PCMPEQ" + letter, signed(bits, (a, b) -> a == b ? -1 : 0));
            words.put("PCMPGT" + letter, signed(bits, (a, b) -> a > b ? -1 : 0));
            if (bits < 64) {
                words.put("PMINS" + letter, signed(bits, Math::min));
                words.put("PMAXS" + letter, signed(bits, Math::max));
                words.put("PMINU" + letter, unsigned(bits, Math::min));
                words.put("PMAXU" + letter, unsigned(bits, Math::max));
                words.put("PABS" + letter, signed(bits, (a, b) -> Math.abs(b)));
                words.put("PSIGN" + letter, signed(bits, (a, b) -> b < 0 ? -a : b == 0 ? 0 : a));
            }
            if (bits < 32) {
                words.put("PADDS" + letter, signed(bits, (a, b) -> saturateSigned(a + b, bits)));
                words.put("PADDUS" + letter, unsigned(bits, (a, b) -> saturateUnsigned(a + b, bits)));
                words.put("PSUBS" + letter, signed(bits, (a, b) -> saturateSigned(a - b, bits)));
                words.put("PSUBUS" + letter, unsigned(bits, (a, b) -> saturateUnsigned(a - b, bits)));
                words.put("PAVG" + letter, unsigned(bits, (a, b) -> a + b + 1 >> 1));
            }
        }
        words.put("PMULLW", signed(16, (a, b) -> a * b));
        words.put("PMULHW", signed(16, (a, b) -> a * b >> 16));
        words.put("PMULHUW", unsigned(16, (a, b) -> a * b >>> 16));
        words.put("PMULHRSW", signed(16, (a, b) -> (a * b >> 14) + 1 >> 1));
        words.put("PMULLD", signed(32, (a, b) -> a * b));
        words.put("PMULUDQ", (a, b) -> (a & 0xffff_ffffL) * (b & 0xffff_ffffL));
        words.put("PMULDQ", (a, b) -> (long) (int) a * (int) b);
        words.put("PMADDWD", PackedInteger::multiplyAddWords);
        words.put("PMADDUBSW", PackedInteger::multiplyAddBytes);
        words.put("PSADBW", PackedInteger::sumOfDifferences);
        for (String suffix : new String[] {"PS", "PD"}) {
            words.put("AND" + suffix, (a, b) -> a & b);
            words.put("ANDN" + suffix, (a, b) -> ~a & b);
            words.put("OR" + suffix, (a, b) -> a | b);
            words.put("XOR" + suffix, (a, b) -> a ^ b);
        }
        words.put("PAND", (a, b) -> a & b);
        words.put("PANDN", (a, b) -> ~a & b);
        words.put("POR", (a, b) -> a | b);
        words.put("PXOR", (a, b) -> a ^ b);
        Map<String, VectorOp> operations = new HashMap<>();
        words.forEach((name, word) -> operations.put(name, VectorOp.of(word)));
        shifts(operations);
        return operations;
    }

    private static long multiplyAddWords(long a, long b) {
        long low = (long) (short) a * (short) b + (long) (short) (a >> 16) * (short) (b >> 16);
        long high = (short) (a >> 32) * (short) (b >> 32) + (long) (short) (a >> 48) * (short) (b >> 48);
        return low & 0xffff_ffffL | high << 32;
    }

    private static long multiplyAddBytes(long a, long b) {
        long result = 0;
        for (int at = 0; at < 64; at += 16) {
            long sum = (a >>> at & 0xff) * (byte) (b >>> at) + (a >>> at + 8 & 0xff) * (byte) (b >>> at + 8);
            result |= (saturateSigned(sum, 16) & 0xffff) << at;
        }
        return result;
    }

    private static long sumOfDifferences(long a, long b) {
        long sum = 0;
        for (int at = 0; at < 64; at += 8) {
            sum += Math.abs((a >>> at & 0xff) - (b >>> at & 0xff));
        }
        return sum;
    }

    private static void shifts(Map<String, VectorOp> operations) {
        for (int i = 1; i < 4; i++) {
            int bits = SIZES[i];
            char letter = LETTERS.charAt(i);
            Elements.Function left = (value, count) -> Long.compareUnsigned(count, bits) >= 0 ? 0 : value << count;
            Elements.Function right = (value, count) -> Long.compareUnsigned(count, bits) >= 0 ? 0 : value >>> count;
            Elements.Function arithmetic =
                    (value, count) -> value >> (Long.compareUnsigned(count, bits) >= 0 ? bits - 1 : count);
            put(operations, "PSLL" + letter, bits, left, false);
            put(operations, "PSRL" + letter, bits, right, false);
            if (bits < 64) {
                put(operations, "PSRA" + letter, bits, arithmetic, true);
            }
            if (bits > 16) {
                operations.put("PSLLV" + letter, VectorOp.of(unsigned(bits, left)));
                operations.put("PSRLV" + letter, VectorOp.of(unsigned(bits, right)));
            }
        }
        operations.put("PSRAVD", VectorOp.of((a, b) -> {
            long low = (int) a >> (int) Math.min(b & 0xffff_ffffL, 31);
            long high = a >> 32 >> Math.min(b >>> 32, 31);
            return low & 0xffff_ffffL | high << 32;
        }));
    }

    /** A shift by the low quadword of the second source, and with suffix {@code /I} by the immediate. */
    private static void put(
            Map<String, VectorOp> operations, String name, int bits, Elements.Function shift, boolean signed) {
        operations.put(name, (d, a, b, immediate, words, fp) -> shiftAll(d, a, b[0], words, bits, shift, signed));
        operations.put(
                name + "/I", (d, a, b, immediate, words, fp) -> shiftAll(d, a, immediate, words, bits, shift, signed));
    }

    private static void shiftAll(
            long[] d, long[] a, long count, int words, int bits, Elements.Function shift, boolean signed) {
        for (int i = 0; i < words * 64 / bits; i++) {
            long value = signed ? Elements.getSigned(a, bits, i) : Elements.get(a, bits, i);
            Elements.put(d, bits, i, shift.apply(value, count));
        }
    }
}
