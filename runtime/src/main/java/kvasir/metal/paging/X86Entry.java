package kvasir.metal.paging;

/**
 * A paging-structure entry of PAE, 4-level or 5-level paging, and of NPT, which has the same format (Intel SDM,
 * "Paging"; AMD APM volume 2, "Nested paging").
 *
 * @param raw the 8 bytes
 */
public record X86Entry(long raw) {
    public static final long P = 1;
    public static final long W = 1 << 1;
    public static final long U = 1 << 2;
    public static final long PWT = 1 << 3;
    public static final long PCD = 1 << 4;
    public static final long ACCESSED = 1 << 5;
    public static final long DIRTY = 1 << 6;
    public static final long LARGE = 1 << 7;
    public static final long GLOBAL = 1 << 8;
    public static final long NX = 1L << 63;
    static final long ADDRESS = 0x000f_ffff_ffff_f000L;

    public boolean present() {
        return (raw & P) != 0;
    }

    public boolean writable() {
        return (raw & W) != 0;
    }

    public boolean user() {
        return (raw & U) != 0;
    }

    public boolean accessed() {
        return (raw & ACCESSED) != 0;
    }

    public boolean dirty() {
        return (raw & DIRTY) != 0;
    }

    public boolean global() {
        return (raw & GLOBAL) != 0;
    }

    public boolean noExecute() {
        return (raw & NX) != 0;
    }

    /** Bits 62:59, used when CR4.PKE is set. */
    public int protectionKey() {
        return (int) (raw >>> 59) & 15;
    }

    /** Whether an entry of {@code level} maps a page (if it is present). */
    public boolean leaf(int level) {
        return level == 1 || (level <= 3 && (raw & LARGE) != 0);
    }

    /** Bits 51:12; a large page still has its PAT bit 12 in it. */
    public long address() {
        return raw & ADDRESS;
    }

    /** {@code rwx} seen from user mode as NPT uses it: W and NX decide, R is P. */
    public String rights() {
        return (present() ? "r" : "-") + (writable() ? "w" : "-") + (present() && !noExecute() ? "x" : "-");
    }

    /** One line for a person: {@code 4K rwx user A D G -> 0x1000}. */
    public String text(int level) {
        if (!present()) {
            return "not present";
        }
        boolean leaf = leaf(level);
        long address = leaf && level > 1 ? address() & -PageSize.bytes(level) : address();
        return (leaf ? PageSize.name(level) : "table")
                + " "
                + rights()
                + (user() ? " user" : " supervisor")
                + ((raw & PWT) != 0 ? " PWT" : "")
                + ((raw & PCD) != 0 ? " PCD" : "")
                + (accessed() ? " A" : "")
                + (leaf && dirty() ? " D" : "")
                + (leaf && global() ? " G" : "")
                + " -> 0x"
                + Long.toHexString(address);
    }
}
