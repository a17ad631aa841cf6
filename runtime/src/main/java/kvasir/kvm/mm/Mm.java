package kvasir.kvm.mm;

/** The VMM process's address space (struct mm_struct). */
public final class Mm {
    /**
     * hva_to_pfn: faults the page in if need be.
     *
     * @param hva any address in the page
     * @param write whether the access is a write
     * @return a {@link Pfn} word; writable if the host page-table entry is, also for a read
     */
    public long gup(long hva, boolean write) {
        return Pfn.FAULT;
    }

    /** host_pfn_mapping_level: the level of the host page-table leaf at {@code hva}, 1 if nothing is mapped. */
    public int hostLevel(long hva) {
        return 1;
    }
}
