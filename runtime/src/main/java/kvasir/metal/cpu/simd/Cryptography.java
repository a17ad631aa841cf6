package kvasir.metal.cpu.simd;

import java.util.HashMap;
import java.util.Map;

/** AES-NI, PCLMULQDQ, GFNI and the SHA extensions (SDM volume 2; FIPS 197 and FIPS 180-4 for the tables). */
final class Cryptography {
    private static final byte[] SBOX = new byte[256];
    private static final byte[] INVERSE_SBOX = new byte[256];

    static {
        // the field inverse by walking the powers of the generator 3, then the affine map
        int power = 1;
        int inverse = 1;
        do {
            power = power ^ power << 1 ^ ((power & 0x80) != 0 ? 0x11b : 0);
            inverse ^= inverse << 1;
            inverse ^= inverse << 2;
            inverse ^= inverse << 4;
            inverse &= 0xff;
            inverse ^= (inverse & 0x80) != 0 ? 0x09 : 0;
            int x = inverse;
            int mapped = x ^ rotate(x, 1) ^ rotate(x, 2) ^ rotate(x, 3) ^ rotate(x, 4) ^ 0x63;
            SBOX[power & 0xff] = (byte) mapped;
        } while ((power & 0xff) != 1);
        SBOX[0] = 0x63;
        for (int i = 0; i < 256; i++) {
            INVERSE_SBOX[SBOX[i] & 0xff] = (byte) i;
        }
    }

    private Cryptography() {}

    private static int rotate(int value, int by) {
        return (value << by | value >>> 8 - by) & 0xff;
    }

    /** Operations by their mnemonic without the V of VEX forms. */
    static Map<String, VectorOp> operations() {
        Map<String, VectorOp> operations = new HashMap<>();
        operations.put("AESENC", VectorOp.ofLane((d, a, b, immediate, at) -> encrypt(d, a, b, at, true)));
        operations.put("AESENCLAST", VectorOp.ofLane((d, a, b, immediate, at) -> encrypt(d, a, b, at, false)));
        operations.put("AESDEC", VectorOp.ofLane((d, a, b, immediate, at) -> decrypt(d, a, b, at, true)));
        operations.put("AESDECLAST", VectorOp.ofLane((d, a, b, immediate, at) -> decrypt(d, a, b, at, false)));
        operations.put("AESIMC", VectorOp.ofLane((d, a, b, immediate, at) -> {
            for (int i = 0; i < 4; i++) {
                Elements.put(d, 32, at * 2 + i, mix((int) Elements.get(b, 32, at * 2 + i), 14, 11, 13, 9));
            }
        }));
        operations.put("AESKEYGENASSIST", VectorOp.ofLane((d, a, b, immediate, at) -> {
            int x1 = substitute((int) (b[at] >>> 32));
            int x3 = substitute((int) (b[at + 1] >>> 32));
            d[at] = x1 & 0xffff_ffffL | (long) (Integer.rotateRight(x1, 8) ^ immediate) << 32;
            d[at + 1] = x3 & 0xffff_ffffL | (long) (Integer.rotateRight(x3, 8) ^ immediate) << 32;
        }));
        operations.put("PCLMULQDQ", VectorOp.ofLane((d, a, b, immediate, at) -> {
            long x = a[at + (immediate & 1)];
            long y = b[at + (immediate >>> 4 & 1)];
            long low = 0;
            long high = 0;
            for (int i = 0; i < 64; i++) {
                if ((y >>> i & 1) != 0) {
                    low ^= x << i;
                    high ^= i == 0 ? 0 : x >>> 64 - i;
                }
            }
            d[at] = low;
            d[at + 1] = high;
        }));
        operations.put("GF2P8MULB", (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < 8 * words; i++) {
                Elements.put(d, 8, i, multiply((int) Elements.get(a, 8, i), (int) Elements.get(b, 8, i)));
            }
        });
        operations.put("GF2P8AFFINEQB", (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < 8 * words; i++) {
                Elements.put(d, 8, i, affine(b[i / 8], (int) Elements.get(a, 8, i)) ^ immediate);
            }
        });
        operations.put("GF2P8AFFINEINVQB", (d, a, b, immediate, words, fp) -> {
            for (int i = 0; i < 8 * words; i++) {
                Elements.put(d, 8, i, affine(b[i / 8], inverse((int) Elements.get(a, 8, i))) ^ immediate);
            }
        });
        sha(operations);
        return operations;
    }

    /** Product in the field of AES, of 256 elements with the polynomial 0x11b. */
    private static int multiply(int x, int y) {
        int product = 0;
        int shifted = x & 0xff;
        for (int i = 0; i < 8; i++) {
            product ^= (y >>> i & 1) != 0 ? shifted : 0;
            shifted = shifted << 1 ^ ((shifted & 0x80) != 0 ? 0x11b : 0);
        }
        return product;
    }

    /** The inverse in that field, 0 for 0: the power 254. */
    private static int inverse(int x) {
        int power = x;
        int result = 1;
        for (int i = 0; i < 7; i++) {
            power = multiply(power, power);
            result = multiply(result, power);
        }
        return x == 0 ? 0 : result;
    }

    /** A matrix of 8 by 8 bits, its row for bit 0 the highest byte, times a vector of 8 bits. */
    private static int affine(long matrix, int x) {
        int result = 0;
        for (int i = 0; i < 8; i++) {
            int row = (int) (matrix >>> 56 - 8 * i) & 0xff;
            result |= (Integer.bitCount(row & x) & 1) << i;
        }
        return result;
    }

    private static int substitute(int word) {
        int result = 0;
        for (int at = 0; at < 32; at += 8) {
            result |= (SBOX[word >>> at & 0xff] & 0xff) << at;
        }
        return result;
    }

    private static int times(int value, int factor) {
        int result = 0;
        for (int bit = 0, power = value; bit < 4; bit++) {
            result ^= (factor >>> bit & 1) != 0 ? power : 0;
            power = power << 1 ^ ((power & 0x80) != 0 ? 0x11b : 0);
        }
        return result;
    }

    /** One column of MixColumns; the factors multiply a byte and the three below it. */
    private static int mix(int column, int own, int next, int second, int third) {
        int result = 0;
        for (int i = 0; i < 4; i++) {
            int mixed = times(column >>> 8 * i & 0xff, own)
                    ^ times(column >>> 8 * (i + 1 & 3) & 0xff, next)
                    ^ times(column >>> 8 * (i + 2 & 3) & 0xff, second)
                    ^ times(column >>> 8 * (i + 3 & 3) & 0xff, third);
            result |= mixed << 8 * i;
        }
        return result;
    }

    private static void encrypt(long[] d, long[] a, long[] key, int at, boolean mixes) {
        for (int column = 0; column < 4; column++) {
            int word = 0;
            for (int row = 0; row < 4; row++) {
                int from = (column + row & 3) * 4 + row;
                word |= (SBOX[(int) Elements.get(a, 8, at * 8 + from)] & 0xff) << 8 * row;
            }
            word = mixes ? mix(word, 2, 3, 1, 1) : word;
            Elements.put(d, 32, at * 2 + column, word ^ (int) Elements.get(key, 32, at * 2 + column));
        }
    }

    private static void decrypt(long[] d, long[] a, long[] key, int at, boolean mixes) {
        for (int column = 0; column < 4; column++) {
            int word = 0;
            for (int row = 0; row < 4; row++) {
                int from = (column - row & 3) * 4 + row;
                word |= (INVERSE_SBOX[(int) Elements.get(a, 8, at * 8 + from)] & 0xff) << 8 * row;
            }
            word = mixes ? mix(word, 14, 11, 13, 9) : word;
            Elements.put(d, 32, at * 2 + column, word ^ (int) Elements.get(key, 32, at * 2 + column));
        }
    }

    private static int word(long[] vector, int index) {
        return (int) Elements.get(vector, 32, index);
    }

    private static void set(long[] d, int w3, int w2, int w1, int w0) {
        d[0] = w0 & 0xffff_ffffL | (long) w1 << 32;
        d[1] = w2 & 0xffff_ffffL | (long) w3 << 32;
    }

    private static void sha(Map<String, VectorOp> operations) {
        operations.put(
                "SHA1NEXTE",
                (d, a, b, immediate, words, fp) ->
                        set(d, word(b, 3) + Integer.rotateLeft(word(a, 3), 30), word(b, 2), word(b, 1), word(b, 0)));
        operations.put(
                "SHA1MSG1",
                (d, a, b, immediate, words, fp) -> set(
                        d,
                        word(a, 1) ^ word(a, 3),
                        word(a, 0) ^ word(a, 2),
                        word(b, 3) ^ word(a, 1),
                        word(b, 2) ^ word(a, 0)));
        operations.put("SHA1MSG2", (d, a, b, immediate, words, fp) -> {
            int w16 = Integer.rotateLeft(word(a, 3) ^ word(b, 2), 1);
            int w17 = Integer.rotateLeft(word(a, 2) ^ word(b, 1), 1);
            int w18 = Integer.rotateLeft(word(a, 1) ^ word(b, 0), 1);
            set(d, w16, w17, w18, Integer.rotateLeft(word(a, 0) ^ w16, 1));
        });
        operations.put("SHA1RNDS4", (d, a, b, immediate, words, fp) -> sha1Rounds(d, a, b, immediate & 3));
        operations.put(
                "SHA256MSG1",
                (d, a, b, immediate, words, fp) -> set(
                        d,
                        word(a, 3) + sigma0(word(b, 0)),
                        word(a, 2) + sigma0(word(a, 3)),
                        word(a, 1) + sigma0(word(a, 2)),
                        word(a, 0) + sigma0(word(a, 1))));
        operations.put("SHA256MSG2", (d, a, b, immediate, words, fp) -> {
            int w16 = word(a, 0) + sigma1(word(b, 2));
            int w17 = word(a, 1) + sigma1(word(b, 3));
            int w18 = word(a, 2) + sigma1(w16);
            set(d, word(a, 3) + sigma1(w17), w18, w17, w16);
        });
    }

    private static int sigma0(int x) {
        return Integer.rotateRight(x, 7) ^ Integer.rotateRight(x, 18) ^ x >>> 3;
    }

    private static int sigma1(int x) {
        return Integer.rotateRight(x, 17) ^ Integer.rotateRight(x, 19) ^ x >>> 10;
    }

    private static void sha1Rounds(long[] state, long[] first, long[] message, int function) {
        int a = word(first, 3);
        int b = word(first, 2);
        int c = word(first, 1);
        int d = word(first, 0);
        int e = 0;
        int constant = switch (function) {
            case 0 -> 0x5a82_7999;
            case 1 -> 0x6ed9_eba1;
            case 2 -> 0x8f1b_bcdc;
            default -> 0xca62_c1d6;
        };
        for (int i = 0; i < 4; i++) {
            int mixed = switch (function) {
                case 0 -> b & c ^ ~b & d;
                case 2 -> b & c ^ b & d ^ c & d;
                default -> b ^ c ^ d;
            };
            int next = mixed + Integer.rotateLeft(a, 5) + word(message, 3 - i) + e + constant;
            e = d;
            d = c;
            c = Integer.rotateLeft(b, 30);
            b = a;
            a = next;
        }
        set(state, a, b, c, d);
    }

    /** SHA256RNDS2: two rounds; {@code keys} is XMM0, the round constants already added to the message words. */
    static void sha256Rounds(long[] d, long[] cdgh, long[] abef, long[] keys) {
        int a = word(abef, 3);
        int b = word(abef, 2);
        int e = word(abef, 1);
        int f = word(abef, 0);
        int c = word(cdgh, 3);
        int dd = word(cdgh, 2);
        int g = word(cdgh, 1);
        int h = word(cdgh, 0);
        for (int i = 0; i < 2; i++) {
            int sum1 = Integer.rotateRight(e, 6) ^ Integer.rotateRight(e, 11) ^ Integer.rotateRight(e, 25);
            int t1 = (e & f ^ ~e & g) + sum1 + word(keys, i) + h;
            int sum0 = Integer.rotateRight(a, 2) ^ Integer.rotateRight(a, 13) ^ Integer.rotateRight(a, 22);
            int t2 = (a & b ^ a & c ^ b & c) + sum0;
            h = g;
            g = f;
            f = e;
            e = dd + t1;
            dd = c;
            c = b;
            b = a;
            a = t1 + t2;
        }
        set(d, a, b, e, f);
    }
}
