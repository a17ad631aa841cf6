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
            long tops = PackedWords.tops(bits);
            words.put("PADD" + letter, (a, b) -> PackedWords.add(a, b, tops));
            words.put("PSUB" + letter, (a, b) -> PackedWords.subtract(a, b, tops));
            words.put("PCMPEQ" + letter, (a, b) -> PackedWords.equal(a, b, tops));
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
        Map<String, VectorOp> operations = new HashMap<>();
        words.forEach((name, word) -> operations.put(name, VectorOp.of(word)));
        logic(operations);
        shifts(operations);
        return operations;
    }

    /** Written out, because they are the commonest. */
    private static void logic(Map<String, VectorOp> operations) {
        VectorOp and = (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < words; i++) {
                d[i] = a[i] & b[i];
            }
        };
        VectorOp andNot = (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < words; i++) {
                d[i] = ~a[i] & b[i];
            }
        };
        VectorOp or = (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < words; i++) {
                d[i] = a[i] | b[i];
            }
        };
        VectorOp xor = (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < words; i++) {
                d[i] = a[i] ^ b[i];
            }
        };
        operations.put("PAND", and);
        operations.put("PANDN", andNot);
        operations.put("POR", or);
        operations.put("PXOR", xor);
        for (String suffix : new String[] {"PS", "PD"}) {
            operations.put("AND" + suffix, and);
            operations.put("ANDN" + suffix, andNot);
            operations.put("OR" + suffix, or);
            operations.put("XOR" + suffix, xor);
        }
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
            long tops = PackedWords.tops(bits);
            long ones = tops >>> bits - 1;
            long element = -1L >>> 64 - bits;
            put(operations, "PSLL" + letter, bits, (word, by) -> word << by & ones * (element << by & element));
            put(operations, "PSRL" + letter, bits, (word, by) -> word >>> by & ones * (element >>> by));
            if (bits < 64) {
                Shift arithmetic = (word, by) -> word >>> by & ones * (element >>> by)
                        | ((word & tops) >>> bits - 1) * (element & ~(element >>> by));
                String name = "PSRA" + letter;
                operations.put(
                        name,
                        (d, a, b, immediate, words, fp) -> shiftAll(d, a, atMost(b[0], bits - 1), words, arithmetic));
                operations.put(
                        name + "/I",
                        (d, a, b, immediate, words, fp) ->
                                shiftAll(d, a, Math.min(immediate, bits - 1), words, arithmetic));
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

    /** Shifts the elements of a word by less than their size. */
    @FunctionalInterface
    private interface Shift {
        long apply(long word, int by);
    }

    private static int atMost(long count, int most) {
        return Long.compareUnsigned(count, most) > 0 ? most : (int) count;
    }

    /**
     * A shift that leaves zero if the count is too large: by the low quadword of the second source, and with suffix
     * {@code /I} by the immediate.
     */
    private static void put(Map<String, VectorOp> operations, String name, int bits, Shift shift) {
        operations.put(name, (d, a, b, immediate, words, fp) -> {
            int by = atMost(b[0], bits);
            shiftAll(d, a, by & bits - 1, words, shift);
            clear(d, words, by == bits);
        });
        operations.put(name + "/I", (d, a, b, immediate, words, fp) -> {
            shiftAll(d, a, immediate & bits - 1, words, shift);
            clear(d, words, immediate >= bits);
        });
    }

    private static void clear(long[] d, int words, boolean wanted) {
        for (int i = 0; wanted && i < words; i++) {
            d[i] = 0;
        }
    }

    private static void shiftAll(long[] d, long[] a, int by, int words, Shift shift) {
        for (int i = 0; i < words; i++) {
            d[i] = shift.apply(a[i], by);
        }
    }
}
