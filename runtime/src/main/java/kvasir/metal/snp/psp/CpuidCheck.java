package kvasir.metal.snp.psp;

/**
 * What one register of a CPUID leaf may promise a guest (the kinds of rule in AMD's published firmware,
 * {@code cpuid_lookup.c}).
 *
 * @param kind of rule
 * @param value that it compares with
 * @param free bits that it does not look at
 */
record CpuidCheck(Kind kind, int value, int free) {
    private static final int FAMILY_BITS = 0x0ff0_0f00;
    private static final int FAMILY_RESERVED = 0xf000_f000;
    private static final int[][] STANDARD_SIZES = {{9, 0x988}, {7, 0x980}, {6, 0x580}, {5, 0x380}, {2, 0x340}};
    private static final int[][] COMPACT_SIZES = {{9, 8}, {7, 0x400}, {6, 0x200}, {5, 0x40}, {2, 0x100}};
    private static final int XSAVE_BASE = 0x240;

    /** The kinds of rule. */
    enum Kind {
        /** Not looked at. */
        ANY,
        /** No bit may be 1 that is 0 in the value. */
        MASK,
        /** The value. */
        EXACT,
        /** At most the value, unsigned. */
        AT_MOST,
        /** Each byte at most the value's. */
        BYTES_AT_MOST,
        /** Each half at most the value's. */
        HALVES_AT_MOST,
        /** Family, model and stepping at most the value's. */
        FAMILY,
        /** XCR0 bits: a mask of which x87 and SSE must be there. */
        XCR0,
        /** Size of a standard XSAVE area for the entry's XCR0. */
        XSAVE_SIZE,
        /** Size of a compact XSAVE area for the entry's XCR0 and XSS. */
        XSAVES_SIZE,
        /** The value in 5:0 (C-bit), anything in 11:6, at most the value's in 15:12 (VMPLs), nothing above. */
        ENCRYPTION
    }

    static final CpuidCheck ANY = new CpuidCheck(Kind.ANY, 0, 0);
    static final CpuidCheck ZERO = new CpuidCheck(Kind.EXACT, 0, 0);

    static CpuidCheck of(Kind kind, int value) {
        return new CpuidCheck(kind, value, 0);
    }

    /** What passes instead of {@code word}: itself, if it passes. */
    int corrected(int word, long xcr0, long xss) {
        return switch (kind) {
            case ANY -> word;
            case MASK -> word & (value | free);
            case EXACT -> word & free | value;
            case AT_MOST -> Integer.compareUnsigned(word, value) > 0 ? value : word;
            case BYTES_AT_MOST -> atMost(word, 8);
            case HALVES_AT_MOST -> atMost(word, 16);
            case FAMILY -> (family(word) <= family(value) ? word : value) & ~FAMILY_RESERVED;
            case XCR0 -> (word | 3) & value;
            case XSAVE_SIZE -> standardSize(xcr0);
            case XSAVES_SIZE -> compactSize(xcr0, xss);
            case ENCRYPTION -> value & 0x3f | word & 0xfc0 | Math.min(word >>> 12 & 0xf, value >>> 12 & 0xf) << 12;
        };
    }

    private int atMost(int word, int bits) {
        int result = 0;
        int mask = (1 << bits) - 1;
        for (int at = 0; at < Integer.SIZE; at += bits) {
            result |= Math.min(word >>> at & mask, value >>> at & mask) << at;
        }
        return result;
    }

    /** Orders processors: by family, then model, then stepping. */
    private static int family(int signature) {
        int family = (signature >>> 20 & 0xff) + (signature >>> 8 & 0xf);
        int model = signature >>> 12 & 0xf0 | signature >>> 4 & 0xf;
        return (signature & FAMILY_BITS) == 0 ? 0 : family << 16 | model << 8 | signature & 0xf;
    }

    private static int standardSize(long xcr0) {
        for (int[] state : STANDARD_SIZES) {
            if ((xcr0 >>> state[0] & 1) != 0) {
                return state[1];
            }
        }
        return XSAVE_BASE;
    }

    private static int compactSize(long xcr0, long xss) {
        int size = XSAVE_BASE + ((xss >>> 11 & 1) != 0 ? 0x10 : 0) + ((xss >>> 12 & 1) != 0 ? 0x18 : 0);
        for (int[] state : COMPACT_SIZES) {
            size += (xcr0 >>> state[0] & 1) != 0 ? state[1] : 0;
        }
        return size;
    }
}
