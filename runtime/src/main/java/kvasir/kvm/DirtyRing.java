package kvasir.kvm;

import java.util.ArrayList;
import java.util.List;

/**
 * The dirty ring of one vCPU (struct kvm_dirty_ring): entries go 00 &rarr; dirty &rarr; harvested by user space &rarr; 00
 * at KVM_RESET_DIRTY_RINGS.
 */
public final class DirtyRing {
    /** KVM_DIRTY_GFN_F_DIRTY. */
    public static final int DIRTY = 1;

    /** KVM_DIRTY_GFN_F_RESET. */
    public static final int RESET = 2;

    private static final int RESERVED = 64;
    private static final int PML_ENTRIES = 512;

    private final int[] flags;
    private final int[] slots;
    private final long[] offsets;
    private final int softLimit;
    private int dirtyIndex;
    private int resetIndex;

    /**
     * An entry of the ring (struct kvm_dirty_gfn).
     *
     * @param slot address space in bits 31:16, slot id in bits 15:0
     * @param offset page in the slot
     */
    public record Entry(int flags, int slot, long offset) {}

    /** @param entries a power of two */
    DirtyRing(int entries, boolean pml) {
        flags = new int[entries];
        slots = new int[entries];
        offsets = new long[entries];
        softLimit = entries - reserved(pml);
    }

    /** Entries kept free for what is logged between a check and the exit (kvm_dirty_ring_get_rsvd_entries). */
    static int reserved(boolean pml) {
        return RESERVED + (pml ? PML_ENTRIES : 0);
    }

    /** Whether KVM_RUN must exit with DIRTY_RING_FULL. */
    boolean softFull() {
        return dirtyIndex - resetIndex >= softLimit;
    }

    /** kvm_dirty_ring_push. */
    void push(int slot, long offset) {
        int at = dirtyIndex & (flags.length - 1);
        slots[at] = slot;
        offsets[at] = offset;
        flags[at] = DIRTY;
        dirtyIndex++;
    }

    /** All entries that hold something, in order. */
    public List<Entry> entries() {
        var list = new ArrayList<Entry>();
        for (int i = resetIndex; i != dirtyIndex; i++) {
            int at = i & (flags.length - 1);
            list.add(new Entry(flags[at], slots[at], offsets[at]));
        }
        return list;
    }

    /** User space collects: every dirty entry that is not yet harvested gets the RESET flag, in order. */
    public List<Entry> harvest() {
        var list = new ArrayList<Entry>();
        for (int i = resetIndex; i != dirtyIndex; i++) {
            int at = i & (flags.length - 1);
            if (flags[at] == DIRTY) {
                flags[at] = RESET;
                list.add(new Entry(flags[at], slots[at], offsets[at]));
            }
        }
        return list;
    }

    /** Takes the next harvested entry off the ring; its flags are 0 if there is none. */
    Entry takeHarvested() {
        int at = resetIndex & (flags.length - 1);
        if (resetIndex == dirtyIndex || (flags[at] & RESET) == 0) {
            return new Entry(0, 0, 0);
        }
        var entry = new Entry(flags[at], slots[at], offsets[at]);
        flags[at] = 0;
        resetIndex++;
        return entry;
    }

    long fingerprint() {
        long hash = (java.util.Arrays.hashCode(flags) * 31L + java.util.Arrays.hashCode(slots)) * 31;
        return ((hash + java.util.Arrays.hashCode(offsets)) * 31 + dirtyIndex) * 31 + resetIndex;
    }

    Runnable checkpoint() {
        int[] savedFlags = flags.clone();
        int[] savedSlots = slots.clone();
        long[] savedOffsets = offsets.clone();
        int savedDirty = dirtyIndex;
        int savedReset = resetIndex;
        return () -> {
            System.arraycopy(savedFlags, 0, flags, 0, flags.length);
            System.arraycopy(savedSlots, 0, slots, 0, slots.length);
            System.arraycopy(savedOffsets, 0, offsets, 0, offsets.length);
            dirtyIndex = savedDirty;
            resetIndex = savedReset;
        };
    }
}
