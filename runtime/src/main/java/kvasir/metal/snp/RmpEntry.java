package kvasir.metal.snp;

/**
 * One RMP entry, decoded (APM 2, 15.36.3; raw bits: Linux {@code struct rmpentry_raw}, Zen3 and Zen4).
 *
 * <p>Low quadword: 0 assigned, 1 page size, 2 immutable, 50:12 GPA, 60:51 ASID, 61 VMSA, 62 validated. The layout of
 * the high quadword is not published; here: one byte of permissions for each VMPL from 0 up, and Subpage_Count in
 * 41:32 of the entry of a 2M-aligned frame, and in bit 63 whether the bytes of the page are kept as its guest sees them.
 *
 * @param gpa guest physical address, 4 KiB aligned, below 2^51
 * @param asid 0 when no guest owns the page, at most 1023
 * @param permissions one byte for each VMPL, VMPL0 lowest; see {@link Access#permission()}
 * @param subpageCount assigned 4K entries among the 512 of this 2M frame; 0 in other entries
 */
public record RmpEntry(
        boolean assigned,
        PageSize size,
        boolean immutable,
        long gpa,
        int asid,
        boolean vmsa,
        boolean validated,
        int permissions,
        int subpageCount) {
    static final long ASSIGNED = 1;
    static final long SIZE_2M = 1 << 1;
    static final long IMMUTABLE = 1 << 2;
    static final long GPA_MASK = 0x0007_ffff_ffff_f000L;
    static final long VMSA = 1L << 61;
    static final long VALIDATED = 1L << 62;
    private static final int ASID_SHIFT = 51;
    private static final int ASID_MASK = 0x3ff;
    private static final int COUNT_SHIFT = 32;
    private static final int COUNT_MASK = 0x3ff;

    /** All permissions for VMPL0, none for the others (APM 2, 15.36.7). */
    public static final int DEFAULT_PERMISSIONS = Access.ALL_PERMISSIONS;

    /** The entry of a page that nobody owns. */
    public static final RmpEntry HYPERVISOR = new RmpEntry(false, PageSize.SIZE_4K, false, 0, 0, false, false, 0, 0);

    /** The entry with these two quadwords. */
    static RmpEntry decode(long low, long high) {
        return new RmpEntry(
                (low & ASSIGNED) != 0,
                PageSize.of(low >>> 1),
                (low & IMMUTABLE) != 0,
                low & GPA_MASK,
                asid(low),
                (low & VMSA) != 0,
                (low & VALIDATED) != 0,
                (int) high,
                subpageCount(high));
    }

    static int asid(long low) {
        return (int) (low >>> ASID_SHIFT) & ASID_MASK;
    }

    static int subpageCount(long high) {
        return (int) (high >>> COUNT_SHIFT) & COUNT_MASK;
    }

    static long withSubpageCount(long high, int count) {
        return high & ~((long) COUNT_MASK << COUNT_SHIFT) | (long) count << COUNT_SHIFT;
    }

    /** First quadword in the raw format. */
    public long low() {
        return (assigned ? ASSIGNED : 0)
                | (size == PageSize.SIZE_2M ? SIZE_2M : 0)
                | (immutable ? IMMUTABLE : 0)
                | gpa & GPA_MASK
                | (long) (asid & ASID_MASK) << ASID_SHIFT
                | (vmsa ? VMSA : 0)
                | (validated ? VALIDATED : 0);
    }

    /** Second quadword in the raw format of this emulation. */
    public long high() {
        return permissions & 0xffff_ffffL | (long) subpageCount << COUNT_SHIFT;
    }

    /** Permission bits of {@code vmpl}, 0 to 3. */
    public int permissions(int vmpl) {
        return permissions >>> (8 * vmpl) & 0xff;
    }

    /** The named state of the page. */
    public PageState pageState() {
        return PageState.of(this);
    }

    /** The same entry with Immutable as given. */
    public RmpEntry withImmutable(boolean value) {
        return new RmpEntry(assigned, size, value, gpa, asid, vmsa, validated, permissions, subpageCount);
    }

    /** The same entry with Validated as given. */
    public RmpEntry withValidated(boolean value) {
        return new RmpEntry(assigned, size, immutable, gpa, asid, vmsa, value, permissions, subpageCount);
    }

    /** The same entry with VMSA as given. */
    public RmpEntry withVmsa(boolean value) {
        return new RmpEntry(assigned, size, immutable, gpa, asid, value, validated, permissions, subpageCount);
    }

    /** The same entry with the permission bits of {@code vmpl} replaced. */
    public RmpEntry withPermissions(int vmpl, int bits) {
        int cleared = permissions & ~(0xff << (8 * vmpl));
        return new RmpEntry(
                assigned,
                size,
                immutable,
                gpa,
                asid,
                vmsa,
                validated,
                cleared | (bits & 0xff) << (8 * vmpl),
                subpageCount);
    }

    /** The same entry with another size. */
    public RmpEntry withSize(PageSize value) {
        return new RmpEntry(assigned, value, immutable, gpa, asid, vmsa, validated, permissions, subpageCount);
    }

    /** The same entry for another guest page. */
    public RmpEntry withGpa(long value) {
        return new RmpEntry(assigned, size, immutable, value, asid, vmsa, validated, permissions, subpageCount);
    }

    /** The entry as a person reads it: {@code GUEST_VALID 4K asid 1 gpa 0x1000}. */
    public String describe() {
        if (!assigned) {
            return pageState().name();
        }
        var text = new StringBuilder(pageState().name()).append(' ').append(size.word());
        if (asid != 0) {
            text.append(" asid ").append(asid).append(" gpa 0x").append(Long.toHexString(gpa));
        }
        if (vmsa) {
            text.append(" vmsa");
        }
        for (int vmpl = 1; vmpl < 4; vmpl++) {
            if (permissions(vmpl) != 0) {
                text.append(" vmpl").append(vmpl).append('=').append(Access.permissionWord(permissions(vmpl)));
            }
        }
        return text.toString();
    }
}
