package kvasir.metal.paging;

/**
 * An EPT paging-structure entry (Intel SDM, "EPT translation mechanism").
 *
 * @param raw the 8 bytes
 */
public record EptEntry(long raw) {
    public static final long R = 1;
    public static final long W = 1 << 1;
    public static final long X = 1 << 2;
    public static final long RWX = R | W | X;
    public static final int MEMORY_TYPE_SHIFT = 3;
    public static final long IGNORE_PAT = 1 << 6;
    public static final long LARGE = 1 << 7;
    public static final long ACCESSED = 1 << 8;
    public static final long DIRTY = 1 << 9;
    public static final long SUPPRESS_VE = 1L << 63;
    static final long ADDRESS = 0x000f_ffff_ffff_f000L;

    /** Memory types of a leaf. */
    public static final int UC = 0;

    public static final int WC = 1;
    public static final int WT = 4;
    public static final int WP = 5;
    public static final int WB = 6;

    /** R, W and X are not all clear. */
    public boolean present() {
        return (raw & RWX) != 0;
    }

    public boolean readable() {
        return (raw & R) != 0;
    }

    public boolean writable() {
        return (raw & W) != 0;
    }

    public boolean executable() {
        return (raw & X) != 0;
    }

    /** Whether an entry of {@code level} maps a page (if it is present). */
    public boolean leaf(int level) {
        return level == 1 || (level <= 3 && (raw & LARGE) != 0);
    }

    /** Bits 5:3 of a leaf. */
    public int memoryType() {
        return (int) (raw >> MEMORY_TYPE_SHIFT) & 7;
    }

    public boolean ignorePat() {
        return (raw & IGNORE_PAT) != 0;
    }

    public boolean accessed() {
        return (raw & ACCESSED) != 0;
    }

    public boolean dirty() {
        return (raw & DIRTY) != 0;
    }

    public boolean suppressVe() {
        return (raw & SUPPRESS_VE) != 0;
    }

    /** Bits 51:12: of the next table, or of the page (with the low bits of a large page still in it). */
    public long address() {
        return raw & ADDRESS;
    }

    /** {@code rwx} with a dash for each permission that is missing. */
    public String rights() {
        return (readable() ? "r" : "-") + (writable() ? "w" : "-") + (executable() ? "x" : "-");
    }

    /** {@code uc}, {@code wc}, {@code wt}, {@code wp}, {@code wb}, or the number of an illegal type. */
    public String memoryTypeName() {
        return switch (memoryType()) {
            case UC -> "uc";
            case WC -> "wc";
            case WT -> "wt";
            case WP -> "wp";
            case WB -> "wb";
            default -> "type" + memoryType();
        };
    }

    /** One line for a person: {@code 2M rwx wb ipat A D -> 0x40000000}. */
    public String text(int level) {
        if (!present()) {
            return suppressVe() ? "not present" : "not present, #VE";
        }
        if (!leaf(level)) {
            return "table " + rights() + (accessed() ? " A" : "") + " -> 0x" + Long.toHexString(address());
        }
        return PageSize.name(level)
                + " "
                + rights()
                + " "
                + memoryTypeName()
                + (ignorePat() ? " ipat" : "")
                + (accessed() ? " A" : "")
                + (dirty() ? " D" : "")
                + " -> 0x"
                + Long.toHexString(address());
    }
}
