package kvasir.metal.cpu;

import kvasir.metal.cpu.CpuidModel.Feature;

/**
 * State components of the XSAVE feature set: which there are, their sizes and places, and which are in use (Intel SDM
 * volume 1, chapter 13).
 */
final class XState {
    static final long X87 = 1;
    static final long SSE = 2;
    static final long AVX = 4;
    static final long PKRU = 1 << 9;

    static final int HEADER = 512;
    static final int AVX_OFFSET = 576;
    static final int AVX_BYTES = 256;
    static final int PKRU_BYTES = 8;

    private XState() {}

    /** The user components that XCR0 may enable. */
    static long user(CpuidModel model) {
        if (!model.has(Feature.XSAVE)) {
            return 0;
        }
        return X87 | SSE | (model.has(Feature.AVX) ? AVX : 0) | (model.has(Feature.PKU) ? PKRU : 0);
    }

    /** Whether XSETBV takes {@code value} for XCR0. */
    static boolean legalXcr0(CpuidModel model, long value) {
        return (value & ~user(model)) == 0 && (value & X87) != 0 && ((value & AVX) == 0 || (value & SSE) != 0);
    }

    /** Offset of a component in the standard format; the gaps are those of the modelled processors. */
    static int offset(CpuidModel model, long component) {
        if (component == AVX) {
            return AVX_OFFSET;
        }
        if (component == PKRU) {
            return model.amd() ? 2432 : 2688;
        }
        return 0;
    }

    /** Bytes of a component beyond the legacy region. */
    static int bytes(long component) {
        return component == AVX ? AVX_BYTES : component == PKRU ? PKRU_BYTES : 0;
    }

    /** Bytes of the XSAVE area for a set of components; header and legacy region are always there. */
    static int areaBytes(CpuidModel model, long components, boolean compacted) {
        int end = AVX_OFFSET;
        for (long rest = components & ~(X87 | SSE); rest != 0; rest &= rest - 1) {
            long component = Long.lowestOneBit(rest);
            end = compacted ? end + bytes(component) : Math.max(end, offset(model, component) + bytes(component));
        }
        return end;
    }

    /** XINUSE: the components that are not in their initial configuration. */
    static long inUse(Cpu c) {
        SystemState sys = c.sys;
        long high = 0;
        long low = 0;
        for (int i = 0; i < sys.ymm.length; i += 4) {
            low |= sys.ymm[i] | sys.ymm[i + 1];
            high |= sys.ymm[i + 2] | sys.ymm[i + 3];
        }
        return (sys.x87.initial() ? 0 : X87)
                | (low == 0 ? 0 : SSE)
                | (high == 0 ? 0 : AVX)
                | (sys.pkru == 0 ? 0 : PKRU);
    }
}
