package kvasir.metal.tdx;

import java.util.List;
import kvasir.registry.Range;

/**
 * One TD memory region as TDH.SYS.CONFIG accepted it (TDMR_INFO).
 *
 * @param base HPA, multiple of 1 GiB
 * @param size bytes, multiple of 1 GiB
 * @param pamt HPA of the arrays of 4K, 2M and 1G entries, in this order
 * @param pamtBytes their sizes
 * @param reserved reserved areas as HPA ranges, ascending
 */
record Tdmr(long base, long size, List<Long> pamt, List<Long> pamtBytes, List<Range> reserved) {
    Tdmr {
        pamt = List.copyOf(pamt);
        pamtBytes = List.copyOf(pamtBytes);
        reserved = List.copyOf(reserved);
    }

    long end() {
        return base + size;
    }

    boolean contains(long hpa) {
        return hpa >= base && hpa < end();
    }
}
