package kvasir.kvm.semantics;

/**
 * The ioctl's struct: kvm_memory_mapping, kvm_map_memory, or kvm_pre_fault_memory. In bytes here whatever the units of
 * the semantics; {@link #inUnits} takes its two numbers as they stand in the struct. Mutable: it is written back.
 */
public final class MemoryMapping {
    /** RFC v1: a write access. */
    public static final long WRITE = 1;
    /** RFC v1: an instruction fetch. */
    public static final long EXEC = 1 << 1;
    /** RFC v1: a user-mode access. */
    public static final long USER = 1 << 2;
    /** RFC v1: private memory. */
    public static final long PRIVATE = 1 << 3;

    private static final long HIGHEST_GFN = (1L << 52) - 2;

    private long gpa;
    private long size;
    private final long flags;
    private long source;

    /** How many pages the struct's gfn is above the one that stands for it here. */
    private final long above;

    /** How many more pages the struct names than are looked at here. */
    private final long beyond;

    /**
     * @param gpa first byte
     * @param size bytes
     * @param flags as the semantics defines them
     * @param source RFC v1: hva of the content; 0 if none
     */
    public MemoryMapping(long gpa, long size, long flags, long source) {
        this(gpa, size, flags, source, 0, 0);
    }

    private MemoryMapping(long gpa, long size, long flags, long source, long above, long beyond) {
        this.gpa = gpa;
        this.size = size;
        this.flags = flags;
        this.source = source;
        this.above = above;
        this.beyond = beyond;
    }

    /**
     * The struct with the numbers that user space wrote. A gfn of 2^52 and more, which no address has, is looked at as the
     * page before the last: no slot reaches that far either.
     *
     * @param first base_gfn, or the address in bytes
     * @param count nr_pages, or the size in bytes
     */
    public static MemoryMapping inUnits(Policies.Units units, long first, long count, long flags, long source) {
        if (units == Policies.Units.BYTES) {
            return new MemoryMapping(first, count, flags, source);
        }
        boolean wraps = Long.compareUnsigned(first + count, first) <= 0;
        long gfn = Long.compareUnsigned(first, HIGHEST_GFN) < 0 ? first : HIGHEST_GFN;
        long most = HIGHEST_GFN + 1 - gfn;
        long pages = wraps ? 0 : Long.compareUnsigned(count, most) < 0 ? count : most;
        return new MemoryMapping(gfn << 12, pages << 12, flags, source, first - gfn, count - pages);
    }

    /** The start as the struct has it now. */
    public long first(Policies.Units units) {
        return units == Policies.Units.BYTES ? gpa : (gpa >>> 12) + above;
    }

    /** The size as the struct has it now. */
    public long count(Policies.Units units) {
        return units == Policies.Units.BYTES ? size : (size >>> 12) + beyond;
    }

    /** First byte not yet processed. */
    public long gpa() {
        return gpa;
    }

    /** Bytes left; after an underflow, a number near 2^64. */
    public long size() {
        return size;
    }

    public long flags() {
        return flags;
    }

    /** hva of the content of the first byte not yet processed; 0 if none. */
    public long source() {
        return source;
    }

    void advance(long bytes) {
        gpa += bytes;
        size -= bytes;
        if (source != 0) {
            source += bytes;
        }
    }
}
