package kvasir.metal.cpu.fp;

/** A binary floating-point format of x86 (SDM volume 1, 4.2.2 and 4.8). */
public enum Format {
    /** F16C storage format. */
    HALF(11, 5),
    SINGLE(24, 8),
    DOUBLE(53, 11),
    /** The x87 format; its integer bit is explicit. */
    EXTENDED(64, 15);

    /** Bits of significand with the integer bit. */
    final int precision;

    final int exponentBits;
    final int bias;
    /** Unbiased exponent of the smallest normal number. */
    final int minimum;
    /** Unbiased exponent of the largest finite number. */
    final int maximum;

    Format(int precision, int exponentBits) {
        this.precision = precision;
        this.exponentBits = exponentBits;
        bias = (1 << (exponentBits - 1)) - 1;
        minimum = 1 - bias;
        maximum = bias;
    }

    /** Bits of fraction in the packed form of the formats that fit in 64 bits. */
    int fractionBits() {
        return precision - 1;
    }
}
