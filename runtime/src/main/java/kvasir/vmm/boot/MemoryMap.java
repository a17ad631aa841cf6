package kvasir.vmm.boot;

import java.util.List;

/** The memory map of a PC without firmware, as E820 tells it. */
final class MemoryMap {
    static final int RAM = 1;
    static final int RESERVED = 2;

    private static final long LOW_END = 0x9_fc00;
    private static final long FIRMWARE = 0xf_0000;
    private static final long HIGH = 0x10_0000;

    private MemoryMap() {}

    /**
     * @param gpa first address
     * @param bytes size
     * @param type 1 RAM, 2 reserved, as in ACPI's table of address range types
     */
    record Region(long gpa, long bytes, int type) {}

    /** Of a machine with {@code memory} bytes from 0; the ACPI tables lie in the reserved region below 1 MiB. */
    static List<Region> of(long memory) {
        return List.of(
                new Region(0, LOW_END, RAM),
                new Region(LOW_END, 0xa_0000 - LOW_END, RESERVED),
                new Region(FIRMWARE, HIGH - FIRMWARE, RESERVED),
                new Region(HIGH, memory - HIGH, RAM));
    }
}
