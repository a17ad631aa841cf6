package kvasir.kvm.mmu;

/** A top table and what is known about its tree. Shared by all vCPUs whose MMU has its role. */
final class Root {
    /** Stands where there is no root. */
    static final Root NONE = new Root(0, new PageRole(0), "", 0);

    /** Frame of the table. */
    final long pfn;
    /** Name of the tree in topics: {@code td.ept}, {@code td.mirror}. */
    final String space;
    /** Bits ORed into a gfn to index the tables: the direct bits in a TDX VM's shared tables. */
    final long gfnBits;

    /** Changes once: to invalid. */
    PageRole role;
    /** Who keeps it: one for each vCPU that has it loaded, one for the MMU until it has zapped the invalid root. */
    int references = 2;
    /** Invalidated and not yet zapped. */
    boolean scheduledForZap;

    Root(long pfn, PageRole role, String space, long gfnBits) {
        this.pfn = pfn;
        this.role = role;
        this.space = space;
        this.gfnBits = gfnBits;
    }

    /** The cell of {@link #references}. */
    String referencesCell() {
        return space + ".root" + pfn;
    }

    boolean exists() {
        return this != NONE;
    }

    int level() {
        return role.level();
    }

    boolean mirror() {
        return role.mirror();
    }

    @Override
    public String toString() {
        return space + " root 0x" + Long.toHexString(pfn << 12) + " " + role;
    }
}
