package kvasir.kvm;

/**
 * The host: what its processor can do and how its kernel was set up.
 *
 * @param memoryBytes installed memory, a multiple of 1 GiB
 * @param maxPhyAddr MAXPHYADDR in bits, 36 to 52
 * @param npt AMD: NPT; false is Intel: EPT
 * @param adBits EPT accessed and dirty flags (always there with NPT)
 * @param pml page-modification logging (Intel, needs A/D flags)
 * @param fiveLevels the processor can walk five levels of stage 2
 * @param onegigPages stage 2 can map 1 GiB
 * @param nxHugePages the iTLB-multihit mitigation is on (kvm.nx_huge_pages)
 * @param tdp stage-2 paging is on (kvm_intel.ept, kvm_amd.npt)
 * @param tdpMmu the TDP MMU is on (kvm.tdp_mmu)
 * @param eagerPageSplit kvm.eager_page_split
 * @param thp transparent huge pages are allowed ({@code always})
 * @param cBit AMD: memory encryption is enabled in SYSCFG, and this bit of a page-table entry asks for it; 0 if it is not
 * @param sme the kernel encrypts its memory ({@code mem_encrypt=on}): all its entries have the C-bit
 * @param l1tf Intel: the processor is affected by the L1 terminal fault
 */
public record HostConfig(
        long memoryBytes,
        int maxPhyAddr,
        boolean npt,
        boolean adBits,
        boolean pml,
        boolean fiveLevels,
        boolean onegigPages,
        boolean nxHugePages,
        boolean tdp,
        boolean tdpMmu,
        boolean eagerPageSplit,
        boolean thp,
        int cBit,
        boolean sme,
        boolean l1tf) {
    /** Without memory encryption, and not affected by the L1 terminal fault. */
    public HostConfig(
            long memoryBytes,
            int maxPhyAddr,
            boolean npt,
            boolean adBits,
            boolean pml,
            boolean fiveLevels,
            boolean onegigPages,
            boolean nxHugePages,
            boolean tdp,
            boolean tdpMmu,
            boolean eagerPageSplit,
            boolean thp) {
        this(
                memoryBytes,
                maxPhyAddr,
                npt,
                adBits,
                pml,
                fiveLevels,
                onegigPages,
                nxHugePages,
                tdp,
                tdpMmu,
                eagerPageSplit,
                thp,
                0,
                false,
                false);
    }

    /** An Intel server: 46 bits, EPT with A/D flags and PML, five levels, 1 GiB pages, not affected by iTLB multihit. */
    public static HostConfig intel() {
        return new HostConfig(4L << 40, 46, false, true, true, true, true, false, true, true, true, true);
    }

    /** One past the highest gfn a slot may have (kvm_mmu_max_gfn). */
    public long maxGfn() {
        return (1L << ((tdp ? maxPhyAddr : 52) - 12)) - 1;
    }
}
