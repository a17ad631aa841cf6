package kvasir.kvm.tdx;

/** Who maps, who adds: the designs of KVM_TDX_INIT_MEM_REGION. */
public enum InitMemRegionMode {
    /** RFC v1: the map call itself adds the page, from the source in its struct. */
    RFC_SOURCE,
    /** March 2024: the map call fills the mirror; INIT_MEM_REGION verifies the mirror, adds and measures. */
    PROPOSAL_2024,
    /** 6.16 to 6.18: INIT_MEM_REGION maps through the fault path, then adds and measures. */
    MERGED_6_16,
    /** 6.19: INIT_MEM_REGION maps a known pfn, and the hook that sets the leaf adds. */
    MERGED_6_19
}
