package kvasir.kvm.mmu;

/**
 * The role of a page-table page, as the word union kvm_mmu_page_role: two pages with one word and one address are the
 * same page.
 *
 * @param word level 3:0, has_4_byte_gpte 4, quadrant 6:5, direct 7, access 10:8, invalid 11, efer_nx 12, cr0_wp 13,
 *     smep_andnot_wp 14, smap_andnot_wp 15, ad_disabled 16, guest_mode 17, passthrough 18, is_mirror 19, smm 31:24
 */
public record PageRole(int word) {
    private static final int DIRECT = 1 << 7;
    private static final int ACCESS_ALL = 7 << 8;
    private static final int INVALID = 1 << 11;
    private static final int EFER_NX = 1 << 12;
    private static final int CR0_WP = 1 << 13;
    private static final int AD_DISABLED = 1 << 16;
    private static final int GUEST_MODE = 1 << 17;
    private static final int MIRROR = 1 << 19;
    private static final int SMM = 1 << 24;

    /** The role of a TDP root (mmu.c, kvm_calc_tdp_mmu_root_page_role). */
    public static PageRole tdpRoot(int level, boolean smm, boolean guestMode, boolean adDisabled) {
        return new PageRole(level
                | DIRECT
                | ACCESS_ALL
                | EFER_NX
                | CR0_WP
                | (adDisabled ? AD_DISABLED : 0)
                | (guestMode ? GUEST_MODE : 0)
                | (smm ? SMM : 0));
    }

    /** 1 to 5. */
    public int level() {
        return word & 0xf;
    }

    public boolean direct() {
        return (word & DIRECT) != 0;
    }

    public boolean invalid() {
        return (word & INVALID) != 0;
    }

    public boolean adDisabled() {
        return (word & AD_DISABLED) != 0;
    }

    public boolean guestMode() {
        return (word & GUEST_MODE) != 0;
    }

    public boolean mirror() {
        return (word & MIRROR) != 0;
    }

    /** Address space: 0 normal, 1 SMM. */
    public int addressSpace() {
        return word >>> 24;
    }

    PageRole asMirror() {
        return new PageRole(word | MIRROR);
    }

    PageRole asInvalid() {
        return new PageRole(word | INVALID);
    }

    /** The role of a table one level down. */
    PageRole child() {
        return new PageRole(word - 1);
    }

    @Override
    public String toString() {
        return "%08x level %d%s%s%s%s%s"
                .formatted(
                        word,
                        level(),
                        direct() ? " direct" : "",
                        mirror() ? " mirror" : "",
                        invalid() ? " invalid" : "",
                        adDisabled() ? " ad_disabled" : "",
                        addressSpace() == 1 ? " smm" : "");
    }
}
