package kvasir.metal.cpu.simd;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import kvasir.metal.cpu.fp.FloatMath;
import kvasir.metal.cpu.fp.Format;

/**
 * Finds what a vector instruction computes by its mnemonic. A VEX form computes what its legacy form does, so names here
 * have no V; forms with an immediate count end in {@code /I}.
 */
public final class VectorOps {
    private static final Map<String, VectorOp> OPERATIONS = new HashMap<>();

    static {
        OPERATIONS.putAll(PackedInteger.operations());
        OPERATIONS.putAll(PackedMove.operations());
        OPERATIONS.putAll(PackedFloat.operations());
        OPERATIONS.putAll(Cryptography.operations());
    }

    private VectorOps() {}

    /** The operation of a mnemonic in upper case. */
    public static Optional<VectorOp> find(String mnemonic) {
        return Optional.ofNullable(OPERATIONS.get(mnemonic));
    }

    /** PBLENDVB, BLENDVPS, BLENDVPD; see {@link PackedMove#blendVariable}. */
    public static void blendVariable(
            int elementBits, long[] d, long[] a, long[] b, long[] mask, int maskAt, int words) {
        PackedMove.blendVariable(elementBits, d, a, b, mask, maskAt, words);
    }

    /** SHA256RNDS2. */
    public static void sha256Rounds(long[] d, long[] cdgh, long[] abef, long[] keys) {
        Cryptography.sha256Rounds(d, cdgh, abef, keys);
    }

    /**
     * VPDPBUSD, VPDPBUSDS, VPDPWSSD, VPDPWSSDS (SDM volume 2): adds to each doubleword of {@code d} the products of its
     * bytes, unsigned ones of {@code a} with signed ones of {@code b}, or of its signed words.
     */
    public static void dotProduct(long[] d, long[] a, long[] b, boolean bytes, boolean saturates, int words) {
        int bits = bytes ? 8 : 16;
        for (int i = 0; i < 2 * words; i++) {
            long sum = (int) Elements.get(d, 32, i);
            for (int part = 0; part < 32 / bits; part++) {
                int at = i * (32 / bits) + part;
                long x = Elements.get(a, bits, at);
                long y = Elements.get(b, bits, at) << 64 - bits >> 64 - bits;
                sum += (bytes ? x : (short) x) * y;
            }
            Elements.put(d, 32, i, saturates ? Math.clamp(sum, Integer.MIN_VALUE, Integer.MAX_VALUE) : sum);
        }
    }

    /** The bits at the top of each element, element 0 lowest: PMOVMSKB, MOVMSKPS, MOVMSKPD. */
    public static int signMask(long[] vector, int elementBits, int words) {
        int mask = 0;
        for (int i = 0; i < words * 64 / elementBits; i++) {
            mask |= (int) (Elements.get(vector, elementBits, i) >>> elementBits - 1) << i;
        }
        return mask;
    }

    /**
     * The twelve shapes of VFMADD, VFMSUB, VFNMADD, VFNMSUB, and VFMADDSUB, VFMSUBADD, already put in the order
     * {@code x * y + z}. {@code d} may be a source.
     *
     * @param scalar only element 0; the rest of {@code d} is the caller's to fill
     * @param negateProduct the kinds that begin with VFN
     * @param negateEven whether {@code z} is subtracted in elements 0, 2 ...
     * @param negateOdd whether {@code z} is subtracted in elements 1, 3 ...
     */
    public static void multiplyAdd(
            Format format,
            boolean scalar,
            boolean negateProduct,
            boolean negateEven,
            boolean negateOdd,
            long[] d,
            long[] x,
            long[] y,
            long[] z,
            int words,
            FloatMath fp) {
        int bits = format == Format.SINGLE ? 32 : 64;
        for (int i = 0; i < (scalar ? 1 : words * 64 / bits); i++) {
            long result = fp.multiplyAdd(
                    format,
                    Elements.get(x, bits, i),
                    Elements.get(y, bits, i),
                    Elements.get(z, bits, i),
                    negateProduct,
                    (i & 1) == 0 ? negateEven : negateOdd);
            Elements.put(d, bits, i, result);
        }
    }
}
