package kvasir.kvm;

import java.util.List;
import kvasir.kvm.mm.PageRanges;

/**
 * The attributes of every gfn of a VM (kvm->mem_attr_array), as maximal runs of private gfns. They know nothing of
 * slots and survive them; a gfn never set is shared.
 */
public final class MemoryAttributes {
    /** KVM_MEMORY_ATTRIBUTE_PRIVATE. */
    public static final long PRIVATE = 1L << 3;

    private final PageRanges privateGfns = new PageRanges();
    private final String cell;
    private final Seams seams;

    /** @param name the VM's */
    MemoryAttributes(String name, Seams seams) {
        this.seams = seams;
        cell = name + ".mem_attr_array";
    }

    private void goesBy() {
        if (seams.footprint().listening()) {
            seams.footprint().read(cell, fingerprint());
        }
    }

    private long fingerprint() {
        return privateGfns.runs().hashCode();
    }

    /** Whether {@code gfn} is private. */
    public boolean isPrivate(long gfn) {
        goesBy();
        return privateGfns.contains(gfn);
    }

    /** Whether all of {@code [start, end)} is private, or all of it shared (kvm_range_has_memory_attributes). */
    public boolean uniform(long start, long end, boolean isPrivate) {
        goesBy();
        return isPrivate ? privateGfns.covers(start, end) : !privateGfns.intersects(start, end);
    }

    /** Runs of private gfns in order. */
    public List<PageRanges.Run> runs() {
        return privateGfns.runs();
    }

    /** Sets {@code [start, end)}, which is not empty. */
    void set(long start, long end, boolean isPrivate) {
        long before = fingerprint();
        goesBy();
        if (isPrivate) {
            privateGfns.add(start, end);
        } else {
            privateGfns.remove(start, end);
        }
        seams.footprint().wrote(cell, before, fingerprint());
    }

    /** kvm_mmu_init_memslot_memory_attributes: MIXED for every large block that lies in the new slot. */
    void initializeMixed(Memslot slot) {
        goesBy();
        for (int level = 2; level <= 3; level++) {
            for (PageRanges.Run run : privateGfns.runs()) {
                markIfMixed(slot, run.start(), level);
                markIfMixed(slot, run.end(), level);
            }
        }
    }

    /** Recomputes MIXED of every large block of {@code slot} that {@code [start, end)} touches and the slot contains. */
    void updateMixed(Memslot slot, long start, long end) {
        goesBy();
        for (int level = 2; level <= 3; level++) {
            long pages = blockPages(level);
            for (long block = start & -pages; block < end; block += pages) {
                markIfMixed(slot, block, level);
            }
        }
    }

    private void markIfMixed(Memslot slot, long gfn, int level) {
        long pages = blockPages(level);
        long block = gfn & -pages;
        if (block >= slot.baseGfn() && block + pages <= slot.endGfn()) {
            boolean mixed = privateGfns.intersects(block, block + pages) && !privateGfns.covers(block, block + pages);
            slot.lpage().setMixed(block, level, mixed);
        }
    }

    private static long blockPages(int level) {
        return 1L << (9 * (level - 1));
    }

    Runnable checkpoint() {
        return privateGfns.checkpoint();
    }

    @Override
    public String toString() {
        return "memory attributes";
    }
}
