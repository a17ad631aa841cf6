package kvasir.metal.snp;

import kvasir.metal.memory.PhysicalMemory;

/**
 * The 16-byte operand of RMPUPDATE (Linux {@code struct rmp_state}).
 *
 * @param gpa as written
 * @param reserved byte 11 and the unused bits of bytes 8 to 10; must be 0
 */
public record RmpUpdate(long gpa, boolean assigned, PageSize size, boolean immutable, int asid, int reserved) {
    /** Bytes of the operand. */
    public static final int BYTES = 16;

    /** Back to the hypervisor (Linux {@code rmp_make_shared}). */
    public static RmpUpdate shared(PageSize size) {
        return new RmpUpdate(0, false, size, false, 0, 0);
    }

    /** To a guest (Linux {@code rmp_make_private}). */
    public static RmpUpdate toGuest(long gpa, PageSize size, int asid, boolean immutable) {
        return new RmpUpdate(gpa, true, size, immutable, asid, 0);
    }

    /** To firmware (Linux {@code rmp_mark_pages_firmware}). */
    public static RmpUpdate toFirmware() {
        return new RmpUpdate(0, true, PageSize.SIZE_4K, true, 0, 0);
    }

    /** Reads the operand from memory. */
    public static RmpUpdate read(PhysicalMemory memory, long spa) {
        int flags = memory.read32(spa + 8);
        return new RmpUpdate(
                memory.read64(spa),
                (flags & 1) != 0,
                PageSize.of(flags >>> 8),
                (flags & 0x1_0000) != 0,
                memory.read32(spa + 12),
                flags & ~0x1_0101);
    }

    /** Writes the operand to memory. */
    public void write(PhysicalMemory memory, long spa) {
        memory.write64(spa, gpa);
        memory.write32(spa + 8, (assigned ? 1 : 0) | size.encoding() << 8 | (immutable ? 0x1_0000 : 0) | reserved);
        memory.write32(spa + 12, asid);
    }
}
