package kvasir.metal.cpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/** Random x87 numbers, most of them awkward: every class of number, exponents near each other and near the limits. */
final class X87Values {
    private final SplittableRandom random;
    private int exponent;
    private int near = 0x3fff;

    X87Values(SplittableRandom random) {
        this.random = random;
    }

    /** Chooses an exponent near which many of the next numbers lie. */
    void relate() {
        near = switch (random.nextInt(5)) {
            case 0 -> 0x3fff;
            case 1 -> 0x3fff + random.nextInt(-70, 70);
            case 2 -> random.nextInt(1, 0x7fff);
            case 3 -> random.nextInt(1, 80);
            default -> 0x7ffe - random.nextInt(80);
        };
    }

    /** The significand of the next number; sign and exponent are {@link #signExponent()}. */
    long next() {
        long sign = random.nextBoolean() ? 0x8000 : 0;
        long bits = significand();
        int biased;
        switch (random.nextInt(24)) {
            case 0 -> {
                biased = 0;
                bits = 0;
            }
            case 1 -> {
                biased = 0x7fff;
                bits = 1L << 63;
            }
            case 2 -> {
                biased = 0x7fff;
                bits |= 3L << 62;
            }
            case 3 -> {
                biased = 0x7fff;
                bits = bits & ~(1L << 62) | 1L << 63 | 1;
            }
            case 4 -> {
                biased = 0;
                bits &= Long.MAX_VALUE;
            }
            case 5 -> {
                biased = 0;
                bits |= 1L << 63;
            }
            case 6 -> {
                biased = random.nextInt(0x8000);
                bits &= Long.MAX_VALUE;
            }
            case 7, 8 -> {
                biased = random.nextInt(1, 0x7fff);
                bits |= 1L << 63;
            }
            case 9, 10, 11 -> {
                // integers
                long n = random.nextLong() >>> random.nextInt(64) | 1;
                int shift = Long.numberOfLeadingZeros(n);
                bits = n << shift;
                biased = 0x3fff + 63 - shift;
            }
            case 12, 13 -> {
                biased = 0x3fff + random.nextInt(-3, 4);
                bits |= 1L << 63;
            }
            case 14 -> {
                // halves and the limits of the narrower formats
                int[] limits = {
                    0x3fff - 1, 0x3fff - 127, 0x3fff + 127, 0x3fff - 1023, 0x3fff + 1023, 0x3fff - 149, 0x3fff - 1074
                };
                biased = limits[random.nextInt(limits.length)] + random.nextInt(-2, 3);
                bits |= 1L << 63;
            }
            default -> {
                biased = Math.clamp(near + random.nextInt(-3, 4), 0, 0x7ffe);
                bits |= 1L << 63;
            }
        }
        exponent = (int) sign | biased;
        return bits;
    }

    int signExponent() {
        return exponent;
    }

    private long significand() {
        long raw = random.nextLong();
        return switch (random.nextInt(6)) {
            case 0 -> 1L << (raw & 63);
            case 1 -> -1L << (raw & 63);
            case 2 -> -1L >>> (raw & 63);
            case 3 -> raw & -1L << random.nextInt(64);
            case 4 -> raw >>> 11 << 11 | 1L << random.nextInt(11);
            default -> raw;
        };
    }

    /** Puts an operand in memory: 0 leaves random bytes, else an integer or a number of one of the formats. */
    void put(byte[] data, int kind) {
        ByteBuffer b = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
        switch (kind) {
            case 1 -> b.putLong(0, random.nextLong() >> random.nextInt(64));
            case 2 -> b.putInt(0, Float.floatToRawIntBits(single()));
            case 3 -> b.putLong(0, (random.nextLong() & 0x800f_ffff_ffff_ffffL) | (long) exponent(2047) << 52);
            case 4 -> b.putInt(0, random.nextInt() & 0x807f_ffff | exponent(255) << 23);
            case 5 -> {
                b.putLong(0, next());
                b.putShort(8, (short) signExponent());
            }
            case 6 -> {
                for (int i = 0; i < 9; i++) {
                    b.put(i, (byte) (random.nextInt(10) | random.nextInt(10) << 4));
                }
                b.put(9, (byte) (random.nextBoolean() ? 0x80 : 0));
            }
            default -> {}
        }
    }

    private float single() {
        return (float) random.nextInt(-1000, 1000) / (1 << random.nextInt(8));
    }

    private int exponent(int most) {
        return switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> most;
            case 2 -> most / 2 + random.nextInt(-3, 4);
            default -> random.nextInt(most + 1);
        };
    }
}
