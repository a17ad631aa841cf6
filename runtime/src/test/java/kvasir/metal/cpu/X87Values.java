package kvasir.metal.cpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import kvasir.metal.cpu.SiliconCases.Random;

/** Random x87 numbers, most of them awkward: every class of number, exponents near each other and near the limits. */
final class X87Values {
    private final Random random;
    private int exponent;
    private int near = 0x3fff;

    X87Values(Random random) {
        this.random = random;
    }

    /** Chooses an exponent near which many of the next numbers lie. */
    void relate() {
        near = switch (random.below(5)) {
            case 0 -> 0x3fff;
            case 1 -> 0x3fff + between(-70, 70);
            case 2 -> between(1, 0x7fff);
            case 3 -> between(1, 80);
            default -> 0x7ffe - random.below(80);
        };
    }

    private int between(int least, int bound) {
        return least + random.below(bound - least);
    }

    /** Writes a random x87 state into an XSAVE area. */
    void fill(byte[] extended) {
        ByteBuffer area = ByteBuffer.wrap(extended).order(ByteOrder.LITTLE_ENDIAN);
        int control = (int) random.nextLong() & 0x1f3f | 0x40;
        if (random.below(3) != 0) {
            control |= 0x3f;
        }
        if (random.below(3) != 0) {
            control |= 0x300;
        }
        int status = (int) random.nextLong() & 0x7f7f;
        if (random.below(16) != 0) {
            status &= ~0x7f | control & 0x3f | 0x40;
        }
        boolean pending = (status & ~control & 0x3f) != 0;
        status |= pending ? 0x8080 : 0;
        area.putShort(0, (short) control);
        area.putShort(2, (short) status);
        int top = status >> 11 & 7;
        int valid = random.below(4) == 0 ? random.below(256) : 0xff;
        if (random.below(2) == 0) {
            valid &= ~(1 << (top - 1 & 7));
        }
        area.put(4, (byte) valid);
        area.putShort(6, (short) random.below(0x800));
        area.putLong(8, random.below(1 << 20));
        area.putLong(16, random.below(1 << 20));
        relate();
        for (int i = 0; i < 8; i++) {
            area.putLong(32 + 16 * i, next());
            area.putShort(40 + 16 * i, (short) signExponent());
        }
    }

    /** The significand of the next number; sign and exponent are {@link #signExponent()}. */
    long next() {
        long sign = random.below(2) == 0 ? 0x8000 : 0;
        long bits = significand();
        int biased;
        switch (random.below(24)) {
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
                biased = random.below(0x8000);
                bits &= Long.MAX_VALUE;
            }
            case 7, 8 -> {
                biased = between(1, 0x7fff);
                bits |= 1L << 63;
            }
            case 9, 10, 11 -> {
                // integers
                long n = random.nextLong() >>> random.below(64) | 1;
                int shift = Long.numberOfLeadingZeros(n);
                bits = n << shift;
                biased = 0x3fff + 63 - shift;
            }
            case 12, 13 -> {
                biased = 0x3fff + between(-3, 4);
                bits |= 1L << 63;
            }
            case 14 -> {
                // halves and the limits of the narrower formats
                int[] limits = {
                    0x3fff - 1, 0x3fff - 127, 0x3fff + 127, 0x3fff - 1023, 0x3fff + 1023, 0x3fff - 149, 0x3fff - 1074
                };
                biased = limits[random.below(limits.length)] + between(-2, 3);
                bits |= 1L << 63;
            }
            default -> {
                biased = Math.clamp(near + between(-3, 4), 0, 0x7ffe);
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
        return switch (random.below(6)) {
            case 0 -> 1L << (raw & 63);
            case 1 -> -1L << (raw & 63);
            case 2 -> -1L >>> (raw & 63);
            case 3 -> raw & -1L << random.below(64);
            case 4 -> raw >>> 11 << 11 | 1L << random.below(11);
            default -> raw;
        };
    }

    /** Puts an operand in memory: 0 leaves random bytes, else an integer or a number of one of the formats. */
    void put(byte[] data, int kind) {
        ByteBuffer b = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
        switch (kind) {
            case 1 -> b.putLong(0, random.nextLong() >> random.below(64));
            case 2 -> b.putInt(0, Float.floatToRawIntBits(single()));
            case 3 -> b.putLong(0, (random.nextLong() & 0x800f_ffff_ffff_ffffL) | (long) exponent(2047) << 52);
            case 4 -> b.putInt(0, (int) random.nextLong() & 0x807f_ffff | exponent(255) << 23);
            case 5 -> {
                b.putLong(0, next());
                b.putShort(8, (short) signExponent());
            }
            case 6 -> {
                for (int i = 0; i < 9; i++) {
                    b.put(i, (byte) (random.below(10) | random.below(10) << 4));
                }
                b.put(9, (byte) (random.below(2) == 0 ? 0x80 : 0));
            }
            default -> {}
        }
    }

    private float single() {
        return (float) between(-1000, 1000) / (1 << random.below(8));
    }

    private int exponent(int most) {
        return switch (random.below(4)) {
            case 0 -> 0;
            case 1 -> most;
            case 2 -> most / 2 + between(-3, 4);
            default -> random.below(most + 1);
        };
    }
}
