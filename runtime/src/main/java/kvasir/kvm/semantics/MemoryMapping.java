package kvasir.kvm.semantics;

/**
 * The ioctl's struct: kvm_memory_mapping, kvm_map_memory, or kvm_pre_fault_memory. In bytes here whatever the units of
 * the semantics; its own units round trip without loss, because a start or size that is not page aligned is told apart
 * before. Mutable: it is written back.
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

    private long gpa;
    private long size;
    private final long flags;
    private long source;

    /**
     * @param gpa first byte
     * @param size bytes
     * @param flags as the semantics defines them
     * @param source RFC v1: hva of the content; 0 if none
     */
    public MemoryMapping(long gpa, long size, long flags, long source) {
        this.gpa = gpa;
        this.size = size;
        this.flags = flags;
        this.source = source;
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
