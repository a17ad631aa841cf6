package kvasir.metal.snp.psp;

import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.RmpEntry;
import kvasir.registry.Bytes;

/**
 * A metadata entry (SNP ABI, MDATA; offsets as in AMD's published firmware, {@code snp_metadata_page}): 0x00 software data,
 * 0x08 IV, 0x10 tag, 0x20 bit 0 valid, 1 page was validated, 2 VMSA, 3 metadata, 4 size, 63:12 GPA, 0x28 permissions of the
 * VMPLs.
 *
 * @param memory that holds it
 * @param spa its address
 */
record MetadataEntry(PhysicalMemory memory, long spa) {
    static final int BYTES = 64;
    private static final int IV = 0x08;
    private static final int TAG = 0x10;
    private static final int FIELDS = 0x20;
    private static final int PERMISSIONS = 0x28;
    private static final int VALID = 1;
    private static final int VALIDATED = 1 << 1;
    private static final int VMSA = 1 << 2;
    private static final int METADATA = 1 << 3;
    private static final int LARGE = 1 << 4;

    /** The entry of a page that leaves. */
    void write(long software, long iv, byte[] tag, RmpEntry page, boolean vmsa, boolean metadata) {
        memory.write64(spa, software);
        memory.write64(spa + IV, iv);
        memory.write(spa + TAG, tag, 0, tag.length);
        long flags = VALID
                | (page.validated() && !metadata ? VALIDATED : 0)
                | (vmsa ? VMSA : 0)
                | (metadata ? METADATA : 0)
                | (page.size() == PageSize.SIZE_2M ? LARGE : 0);
        memory.write64(spa + FIELDS, flags | (metadata ? -4096L : page.gpa()));
        memory.write64(spa + PERMISSIONS, metadata ? 0 : page.permissions() & 0xffff_ffffL);
    }

    private long fields() {
        return memory.read64(spa + FIELDS);
    }

    boolean valid() {
        return (fields() & VALID) != 0;
    }

    void invalidate() {
        memory.write64(spa + FIELDS, fields() & ~(long) VALID);
    }

    /** 0 data, 1 metadata, 2 VMSA, 3 none of them. */
    int type() {
        return ((fields() & METADATA) != 0 ? 1 : 0) | ((fields() & VMSA) != 0 ? 2 : 0);
    }

    PageSize size() {
        return (fields() & LARGE) != 0 ? PageSize.SIZE_2M : PageSize.SIZE_4K;
    }

    long iv() {
        return memory.read64(spa + IV);
    }

    Bytes tag() {
        var tag = new byte[16];
        memory.read(spa + TAG, tag, 0, tag.length);
        return Bytes.of(tag);
    }

    /** The entry of the page it comes back to, which is {@code destination} now: still immutable. */
    RmpEntry restored(RmpEntry destination) {
        return new RmpEntry(
                true,
                destination.size(),
                true,
                fields() & 0x000f_ffff_ffff_f000L,
                destination.asid(),
                (fields() & VMSA) != 0,
                (fields() & VALIDATED) != 0,
                memory.read32(spa + PERMISSIONS),
                destination.subpageCount());
    }
}
