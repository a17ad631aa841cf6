package kvasir.metal.paging;

/**
 * What the processor asks beside page tables before the host, a device or a guest without memory encryption writes: whether
 * the page is the host's (AMD APM volume 2, 15.36.10).
 */
public interface HostWriteCheck {
    /**
     * Whether the write goes through.
     *
     * @param hpa host-physical address
     * @param level of the mapping in use, 1 for 4K to 3 for 1G
     */
    boolean allows(long hpa, int level);

    /** Counts changes of its answers: cached translations are void when it moves. */
    long changes();
}
