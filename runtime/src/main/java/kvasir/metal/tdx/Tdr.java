package kvasir.metal.tdx;

import kvasir.metal.memory.PhysicalMemory;

/**
 * The TD root page, as a view on its bytes. The offsets are this module's own; the fields are those of the ABI.
 *
 * @param hpa of the page
 */
public record Tdr(PhysicalMemory memory, long hpa) {
    /** TDCX pages of a TDCS without L2 VMs. */
    public static final int TDCS_PAGES = 6;

    static final int TDCX_MAX = 9;

    static final int FATAL = 0x00;
    static final int NUM_TDCX = 0x08;
    static final int LIFECYCLE_STATE = 0x0c;
    static final int CHLDCNT = 0x10;
    static final int HKID = 0x18;
    static final int PKG_CONFIG_BITMAP = 0x20;
    static final int TDCX_PA = 0x40;
    static final int TD_UUID = 0xa0;

    public boolean fatal() {
        return memory.read8(hpa + FATAL) != 0;
    }

    void setFatal() {
        memory.write8(hpa + FATAL, (byte) 1);
    }

    public int numTdcx() {
        return memory.read32(hpa + NUM_TDCX);
    }

    void addTdcx(long page) {
        int index = numTdcx();
        memory.write64(hpa + TDCX_PA + 8L * index, page);
        memory.write32(hpa + NUM_TDCX, index + 1);
    }

    /** HPA of a page of the TDCS. */
    public long tdcxPa(int index) {
        return memory.read64(hpa + TDCX_PA + 8L * index);
    }

    public Lifecycle lifecycle() {
        return Lifecycle.of(memory.read32(hpa + LIFECYCLE_STATE));
    }

    void setLifecycle(Lifecycle state) {
        memory.write32(hpa + LIFECYCLE_STATE, state.number());
    }

    /** Number of 4K units of child pages. */
    public long chldcnt() {
        return memory.read64(hpa + CHLDCNT);
    }

    void addChildren(long count) {
        memory.write64(hpa + CHLDCNT, chldcnt() + count);
    }

    public int hkid() {
        return memory.read16(hpa + HKID) & 0xffff;
    }

    void setHkid(int hkid) {
        memory.write16(hpa + HKID, (short) hkid);
    }

    long packages() {
        return memory.read64(hpa + PKG_CONFIG_BITMAP);
    }

    void setPackages(long bitmap) {
        memory.write64(hpa + PKG_CONFIG_BITMAP, bitmap);
    }

    void setUuid(int word, long value) {
        memory.write64(hpa + TD_UUID + 8L * word, value);
    }

    /** Whether all control pages are there, so that {@link #tdcs()} may be asked. */
    public boolean hasTdcs() {
        return numTdcx() >= TDCS_PAGES;
    }

    /** The control structure; its pages must be there. */
    public Tdcs tdcs() {
        return new Tdcs(memory, this);
    }
}
