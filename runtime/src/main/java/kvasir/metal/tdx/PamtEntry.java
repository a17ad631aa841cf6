package kvasir.metal.tdx;

/**
 * One decoded PAMT entry.
 *
 * @param type page type
 * @param owner HPA of the owning TDR; 0 for a TDR itself, stale for PT_NDA
 * @param bepoch value of TD_EPOCH at the last RANGE.BLOCK
 * @param size 0 = 4K, 1 = 2M, 2 = 1G: the array the entry was found in
 */
public record PamtEntry(PageType type, long owner, long bepoch, int size) {}
