package kvasir.kvm.tdx;

/** struct kvm_tdx_init_mem_region. Mutable: it is written back with the progress. */
public final class MemRegion {
    private long sourceAddr;
    private long gpa;
    private long nrPages;

    /**
     * @param sourceAddr hva of the content, page aligned
     * @param gpa first page
     * @param nrPages number of 4 KiB pages
     */
    public MemRegion(long sourceAddr, long gpa, long nrPages) {
        this.sourceAddr = sourceAddr;
        this.gpa = gpa;
        this.nrPages = nrPages;
    }

    public long sourceAddr() {
        return sourceAddr;
    }

    public long gpa() {
        return gpa;
    }

    public long nrPages() {
        return nrPages;
    }

    void advance() {
        sourceAddr += 4096;
        gpa += 4096;
        nrPages--;
    }
}
