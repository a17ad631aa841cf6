package kvasir.metal.paging;

import kvasir.metal.memory.PhysicalMemory;

/**
 * The page-modification log of a logical processor (Intel SDM, "Page-modification logging"): a page of 512 entries,
 * filled from the last to the first with the guest-physical pages whose dirty flag was set.
 */
public final class PmlBuffer {
    /** Entries of the page. */
    public static final int ENTRIES = 512;

    private static final int HEAD = ENTRIES - 1;

    private final long address;
    private int index = HEAD;

    /** @param address host-physical, the PML address of the VMCS */
    public PmlBuffer(long address) {
        this.address = address;
    }

    /** The PML index of the VMCS: the next entry to be written; 0xffff after the first entry was. */
    public int index() {
        return index;
    }

    /** Writes the PML index of the VMCS. */
    public void setIndex(int value) {
        index = value & 0xffff;
    }

    /** Whether there is no entry left: setting a dirty flag exits instead. */
    public boolean full() {
        return index >= ENTRIES;
    }

    /** Logs the page of {@code gpa}; the buffer is not {@link #full()}. */
    void log(PhysicalMemory memory, long gpa) {
        memory.write64(address + index * 8L, gpa & -4096);
        setIndex(index - 1);
    }

    /** The guest-physical address in entry {@code entry}. */
    public long at(PhysicalMemory memory, int entry) {
        return memory.read64(address + entry * 8L);
    }
}
