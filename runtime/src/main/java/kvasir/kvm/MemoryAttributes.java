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

    /** Whether {@code gfn} is private. */
    public boolean isPrivate(long gfn) {
        return privateGfns.contains(gfn);
    }

    /** Whether all of {@code [start, end)} is private, or all of it shared (kvm_range_has_memory_attributes). */
    public boolean uniform(long start, long end, boolean isPrivate) {
        return isPrivate ? privateGfns.covers(start, end) : !privateGfns.intersects(start, end);
    }

    /** Runs of private gfns in order. */
    public List<PageRanges.Run> runs() {
        return privateGfns.runs();
    }

    /** Sets {@code [start, end)}, which is not empty. */
    void set(long start, long end, boolean isPrivate) {
        if (isPrivate) {
            privateGfns.add(start, end);
        } else {
            privateGfns.remove(start, end);
        }
    }

    Runnable checkpoint() {
        return privateGfns.checkpoint();
    }
}
