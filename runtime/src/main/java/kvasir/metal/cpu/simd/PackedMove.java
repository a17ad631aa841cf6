package kvasir.metal.cpu.simd;

import static kvasir.metal.cpu.simd.Elements.get;
import static kvasir.metal.cpu.simd.Elements.getSigned;
import static kvasir.metal.cpu.simd.Elements.put;
import static kvasir.metal.cpu.simd.Elements.saturateSigned;
import static kvasir.metal.cpu.simd.Elements.saturateUnsigned;

import java.util.HashMap;
import java.util.Map;

/** Shuffles, packs, unpacks, blends, horizontal sums and conversions of packed integers (SDM volume 2). */
final class PackedMove {
    private PackedMove() {}

    /** Operations by their mnemonic without the V of VEX forms; MMX forms that differ end in {@code /MMX}. */
    static Map<String, VectorOp> operations() {
        Map<String, VectorOp> operations = new HashMap<>();
        unpacks(operations);
        packs(operations);
        shuffles(operations);
        horizontal(operations);
        blends(operations);
        extensions(operations);
        return operations;
    }

    private static void unpacks(Map<String, VectorOp> operations) {
        String[] names = {"BW", "WD", "DQ", "QDQ"};
        for (int i = 0; i < 4; i++) {
            int bits = 8 << i;
            operations.put("PUNPCKL" + names[i], unpack(bits, false));
            operations.put("PUNPCKH" + names[i], unpack(bits, true));
        }
        operations.put("UNPCKLPS", unpack(32, false));
        operations.put("UNPCKHPS", unpack(32, true));
        operations.put("UNPCKLPD", unpack(64, false));
        operations.put("UNPCKHPD", unpack(64, true));
    }

    /** Interleaves the low or high halves of each lane; an MMX register counts as one lane of 64 bits. */
    private static VectorOp unpack(int bits, boolean high) {
        return (d, a, b, immediate, words, fp) -> {
            int laneBits = words == 1 ? 64 : 128;
            int perLane = laneBits / bits;
            for (int lane = 0; lane < words * 64 / laneBits; lane++) {
                int from = lane * perLane + (high ? perLane / 2 : 0);
                for (int i = 0; i < perLane / 2; i++) {
                    put(d, bits, lane * perLane + 2 * i, get(a, bits, from + i));
                    put(d, bits, lane * perLane + 2 * i + 1, get(b, bits, from + i));
                }
            }
        };
    }

    private static void packs(Map<String, VectorOp> operations) {
        operations.put("PACKSSWB", pack(16, true));
        operations.put("PACKUSWB", pack(16, false));
        operations.put("PACKSSDW", pack(32, true));
        operations.put("PACKUSDW", pack(32, false));
    }

    private static VectorOp pack(int bits, boolean signedResult) {
        return (d, a, b, immediate, words, fp) -> {
            int laneBits = words == 1 ? 64 : 128;
            int half = laneBits / bits;
            for (int lane = 0; lane < words * 64 / laneBits; lane++) {
                for (int i = 0; i < 2 * half; i++) {
                    long value = getSigned(i < half ? a : b, bits, lane * half + i % half);
                    put(
                            d,
                            bits / 2,
                            lane * 2 * half + i,
                            signedResult ? saturateSigned(value, bits / 2) : saturateUnsigned(value, bits / 2));
                }
            }
        };
    }

    private static void shuffles(Map<String, VectorOp> operations) {
        operations.put("PSHUFB", (d, a, b, immediate, words, fp) -> {
            int laneBytes = words == 1 ? 8 : 16;
            for (int i = 0; i < words * 8; i++) {
                int control = (int) get(b, 8, i);
                int from = i / laneBytes * laneBytes + (control & laneBytes - 1);
                put(d, 8, i, (control & 0x80) != 0 ? 0 : get(a, 8, from));
            }
        });
        operations.put("PSHUFD", VectorOp.ofLane((d, a, b, immediate, at) -> {
            for (int i = 0; i < 4; i++) {
                put(d, 32, at * 2 + i, get(b, 32, at * 2 + (immediate >>> 2 * i & 3)));
            }
        }));
        operations.put("PSHUFLW", VectorOp.ofLane((d, a, b, immediate, at) -> {
            d[at] = shuffleWords(b[at], immediate);
            d[at + 1] = b[at + 1];
        }));
        operations.put("PSHUFHW", VectorOp.ofLane((d, a, b, immediate, at) -> {
            d[at] = b[at];
            d[at + 1] = shuffleWords(b[at + 1], immediate);
        }));
        operations.put("PSHUFW", (d, a, b, immediate, words, fp) -> d[0] = shuffleWords(b[0], immediate));
        operations.put("SHUFPS", VectorOp.ofLane((d, a, b, immediate, at) -> {
            for (int i = 0; i < 4; i++) {
                put(d, 32, at * 2 + i, get(i < 2 ? a : b, 32, at * 2 + (immediate >>> 2 * i & 3)));
            }
        }));
        operations.put("SHUFPD", VectorOp.ofLane((d, a, b, immediate, at) -> {
            d[at] = a[at + (immediate >>> at & 1)];
            d[at + 1] = b[at + (immediate >>> at + 1 & 1)];
        }));
        operations.put("PALIGNR", (d, a, b, immediate, words, fp) -> {
            int laneBytes = words == 1 ? 8 : 16;
            for (int i = 0; i < words * 8; i++) {
                int lane = i / laneBytes * laneBytes;
                int from = i - lane + immediate;
                long value = from < laneBytes
                        ? get(b, 8, lane + from)
                        : from < 2 * laneBytes ? get(a, 8, lane + from - laneBytes) : 0;
                put(d, 8, i, value);
            }
        });
        operations.put("PSLLDQ/I", VectorOp.ofLane((d, a, b, immediate, at) -> {
            int bits = Math.min(immediate, 16) * 8;
            d[at + 1] = bits == 0
                    ? a[at + 1]
                    : bits < 64 ? a[at + 1] << bits | a[at] >>> 64 - bits : bits < 128 ? a[at] << bits : 0;
            d[at] = bits < 64 ? a[at] << bits : 0;
        }));
        operations.put("PSRLDQ/I", VectorOp.ofLane((d, a, b, immediate, at) -> {
            int bits = Math.min(immediate, 16) * 8;
            d[at] = bits == 0
                    ? a[at]
                    : bits < 64 ? a[at] >>> bits | a[at + 1] << 64 - bits : bits < 128 ? a[at + 1] >>> bits : 0;
            d[at + 1] = bits < 64 ? a[at + 1] >>> bits : 0;
        }));
        operations.put("PERMILPS/I", VectorOp.ofLane((d, a, b, immediate, at) -> {
            for (int i = 0; i < 4; i++) {
                put(d, 32, at * 2 + i, get(b, 32, at * 2 + (immediate >>> 2 * i & 3)));
            }
        }));
        operations.put("PERMILPS", VectorOp.ofLane((d, a, b, immediate, at) -> {
            for (int i = 0; i < 4; i++) {
                put(d, 32, at * 2 + i, get(a, 32, at * 2 + (int) (get(b, 32, at * 2 + i) & 3)));
            }
        }));
        operations.put("PERMILPD/I", VectorOp.ofLane((d, a, b, immediate, at) -> {
            d[at] = b[at + (immediate >>> at & 1)];
            d[at + 1] = b[at + (immediate >>> at + 1 & 1)];
        }));
        operations.put("PERMILPD", VectorOp.ofLane((d, a, b, immediate, at) -> {
            d[at] = a[at + (int) (b[at] >>> 1 & 1)];
            d[at + 1] = a[at + (int) (b[at + 1] >>> 1 & 1)];
        }));
        crossLane(operations);
    }

    private static void crossLane(Map<String, VectorOp> operations) {
        VectorOp permute128 = (d, a, b, immediate, words, fp) -> {
            for (int half = 0; half < 2; half++) {
                int control = immediate >>> 4 * half;
                long[] source = (control & 2) != 0 ? b : a;
                boolean zero = (control & 8) != 0;
                d[half * 2] = zero ? 0 : source[(control & 1) * 2];
                d[half * 2 + 1] = zero ? 0 : source[(control & 1) * 2 + 1];
            }
        };
        operations.put("PERM2F128", permute128);
        operations.put("PERM2I128", permute128);
        VectorOp permuteQuads = (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < 4; i++) {
                d[i] = b[immediate >>> 2 * i & 3];
            }
        };
        operations.put("PERMQ", permuteQuads);
        operations.put("PERMPD", permuteQuads);
        VectorOp permuteDoubles = (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < 8; i++) {
                put(d, 32, i, get(b, 32, (int) get(a, 32, i) & 7));
            }
        };
        operations.put("PERMD", permuteDoubles);
        operations.put("PERMPS", permuteDoubles);
        VectorOp insert = (d, a, b, immediate, words, fp) -> {
            long low = b[0];
            long high = b[1];
            System.arraycopy(a, 0, d, 0, 4);
            d[(immediate & 1) * 2] = low;
            d[(immediate & 1) * 2 + 1] = high;
        };
        operations.put("INSERTF128", insert);
        operations.put("INSERTI128", insert);
    }

    private static long shuffleWords(long source, int immediate) {
        long result = 0;
        for (int i = 0; i < 4; i++) {
            result |= (source >>> 16 * (immediate >>> 2 * i & 3) & 0xffff) << 16 * i;
        }
        return result;
    }

    private static void horizontal(Map<String, VectorOp> operations) {
        operations.put("PHADDW", horizontal(16, (a, b) -> a + b));
        operations.put("PHADDD", horizontal(32, (a, b) -> a + b));
        operations.put("PHADDSW", horizontal(16, (a, b) -> saturateSigned(a + b, 16)));
        operations.put("PHSUBW", horizontal(16, (a, b) -> a - b));
        operations.put("PHSUBD", horizontal(32, (a, b) -> a - b));
        operations.put("PHSUBSW", horizontal(16, (a, b) -> saturateSigned(a - b, 16)));
        operations.put("PHMINPOSUW", (d, a, b, immediate, words, fp) -> {
            int minimum = 0;
            for (int i = 1; i < 8; i++) {
                if (get(b, 16, i) < get(b, 16, minimum)) {
                    minimum = i;
                }
            }
            d[0] = get(b, 16, minimum) | (long) minimum << 16;
            d[1] = 0;
        });
        operations.put("MPSADBW", (d, a, b, immediate, words, fp) -> {
            for (int lane = 0; lane < words / 2; lane++) {
                int control = immediate >>> 3 * lane;
                int from = lane * 16 + (control & 4);
                int block = lane * 16 + (control & 3) * 4;
                for (int i = 0; i < 8; i++) {
                    long sum = 0;
                    for (int k = 0; k < 4; k++) {
                        sum += Math.abs(get(a, 8, from + i + k) - get(b, 8, block + k));
                    }
                    put(d, 16, lane * 8 + i, sum);
                }
            }
        });
    }

    private static VectorOp horizontal(int bits, Elements.Function function) {
        return (d, a, b, immediate, words, fp) -> {
            int laneBits = words == 1 ? 64 : 128;
            int perLane = laneBits / bits;
            for (int lane = 0; lane < words * 64 / laneBits; lane++) {
                for (int i = 0; i < perLane; i++) {
                    long[] source = i < perLane / 2 ? a : b;
                    int pair = lane * perLane + 2 * i % perLane;
                    put(
                            d,
                            bits,
                            lane * perLane + i,
                            function.apply(getSigned(source, bits, pair), getSigned(source, bits, pair + 1)));
                }
            }
        };
    }

    private static void blends(Map<String, VectorOp> operations) {
        operations.put("PBLENDW", blend(16));
        operations.put("PBLENDD", blend(32));
        operations.put("BLENDPS", blend(32));
        operations.put("BLENDPD", blend(64));
    }

    /** Takes element {@code i} from the second source where immediate bit {@code i mod 8} is set. */
    private static VectorOp blend(int bits) {
        return (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < words * 64 / bits; i++) {
                put(d, bits, i, get((immediate >>> (i & 7) & 1) != 0 ? b : a, bits, i));
            }
        };
    }

    /**
     * PBLENDVB, BLENDVPS and BLENDVPD: takes an element from {@code b} where the top bit of the mask's is set.
     *
     * @param bits element size
     * @param maskAt index of the mask's lowest word in {@code mask}
     */
    static void blendVariable(int bits, long[] d, long[] a, long[] b, long[] mask, int maskAt, int words) {
        int first = maskAt * 64 / bits;
        for (int i = 0; i < words * 64 / bits; i++) {
            put(d, bits, i, get((get(mask, bits, first + i) >>> bits - 1) != 0 ? b : a, bits, i));
        }
    }

    private static void extensions(Map<String, VectorOp> operations) {
        int[][] pairs = {{8, 16}, {8, 32}, {8, 64}, {16, 32}, {16, 64}, {32, 64}};
        for (int[] pair : pairs) {
            String suffix = "" + letter(pair[0]) + letter(pair[1]);
            operations.put("PMOVSX" + suffix, extend(pair[0], pair[1], true));
            operations.put("PMOVZX" + suffix, extend(pair[0], pair[1], false));
        }
    }

    private static char letter(int bits) {
        return "BWDQ".charAt(Integer.numberOfTrailingZeros(bits) - 3);
    }

    private static VectorOp extend(int from, int to, boolean signed) {
        return (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < words * 64 / to; i++) {
                put(d, to, i, signed ? getSigned(b, from, i) : get(b, from, i));
            }
        };
    }
}
