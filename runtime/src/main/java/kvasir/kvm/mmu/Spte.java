package kvasir.kvm.mmu;

/**
 * What is the same in every SPTE, whatever the hardware: the values and bits KVM has put where EPT and NPT ignore
 * them (spte.h). What depends on the hardware is in {@link SpteFormat}.
 */
public final class Spte {
    /** The writable bit, same place in EPT and NPT. */
    public static final long WRITABLE = 1L << 1;
    /** Large page, levels 2 and 3. */
    public static final long PAGE_SIZE = 1L << 7;
    /** KVM's own present bit: this SPTE is shadow-present. */
    public static final long MMU_PRESENT = 1L << 11;
    /** Address bits 51:12. */
    public static final long ADDRESS = 0x000f_ffff_ffff_f000L;
    /** Where the address of a host frame is: the C-bit, 47 or 51, lies above, and no host here has as much memory. */
    private static final long HOST_ADDRESS = (1L << 47) - (1L << 12);
    /** A/D tracking type, bits 53:52; 0 means hardware A/D bits are in use. */
    public static final long TDP_AD_MASK = 3L << 52;
    /** A/D tracking type: no A/D bits, accesses are tracked by taking RWX away. */
    public static final long TDP_AD_DISABLED = 1L << 52;
    /** A/D tracking type: write protection only (L2 under PML). */
    public static final long TDP_AD_WRPROT_ONLY = 2L << 52;
    /** An entry with nothing in it: suppress-#VE, so that a TDX guest is not told. */
    public static final long EMPTY = 1L << 63;
    /** The value of an entry that one task owns (REMOVED in older kernels). */
    public static final long FROZEN = EMPTY | 0x5a0;
    /** How far bits 0 and 2 (R, X) are moved up when an SPTE is access-tracked: to bits 54 and 56. */
    static final int ACC_TRACK_SHIFT = 54;
    /** R and X, at their own place. */
    static final long ACC_TRACK_SAVED = 5;

    private Spte() {}

    /** Whether one task owns the entry. */
    public static boolean isFrozen(long spte) {
        return spte == FROZEN;
    }

    /** Whether the entry maps memory or points to a table. MMIO entries, FROZEN and empty are not shadow-present. */
    public static boolean isShadowPresent(long spte) {
        return (spte & MMU_PRESENT) != 0;
    }

    /** Whether a shadow-present entry of this level is a leaf. */
    public static boolean isLast(long spte, int level) {
        return level == Level.PG_4K || (spte & PAGE_SIZE) != 0;
    }

    /** Whether it is a shadow-present leaf. */
    public static boolean isPresentLeaf(long spte, int level) {
        return isShadowPresent(spte) && isLast(spte, level);
    }

    /** Whether it points to a table. */
    public static boolean isPresentTable(long spte, int level) {
        return isShadowPresent(spte) && !isLast(spte, level);
    }

    /** The host address it maps or points to. */
    static long address(long spte) {
        return spte & HOST_ADDRESS;
    }

    /** The frame it maps or points to. */
    public static long pfn(long spte) {
        return address(spte) >>> 12;
    }

    /** Whether the writable bit is set. */
    public static boolean isWritable(long spte) {
        return (spte & WRITABLE) != 0;
    }

    /** Whether hardware A/D bits are not in use for this entry. */
    static boolean adDisabled(long spte) {
        return (spte & TDP_AD_MASK) == TDP_AD_DISABLED;
    }

    /** Whether writes must be caught by clearing W, not D. */
    static boolean adNeedsWriteProtect(long spte) {
        return (spte & TDP_AD_MASK) != 0;
    }
}
