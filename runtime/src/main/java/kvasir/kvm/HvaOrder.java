package kvasir.kvm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** Slots by their place in the VMM's address space, where they may overlap. */
final class HvaOrder {
    private final Memslot[] slots;

    /** The highest end of this slot and those before it: a search backwards may stop where it is not above its start. */
    private final long[] highestEnds;

    private HvaOrder(Memslot[] slots, long[] highestEnds) {
        this.slots = slots;
        this.highestEnds = highestEnds;
    }

    static HvaOrder of(Memslot[] slots) {
        Memslot[] sorted = slots.clone();
        Arrays.sort(sorted, Comparator.comparingLong(Memslot::userspaceAddr));
        var ends = new long[sorted.length];
        long highest = Long.MIN_VALUE;
        for (int i = 0; i < sorted.length; i++) {
            highest = Math.max(highest, end(sorted[i]));
            ends[i] = highest;
        }
        return new HvaOrder(sorted, ends);
    }

    private static long end(Memslot slot) {
        return slot.userspaceAddr() + (slot.npages() << 12);
    }

    /** Those that share an hva with {@code [start, end)}, in order of gfn. */
    List<Memslot> intersecting(long start, long end) {
        var found = new ArrayList<Memslot>(1);
        for (int i = countStartingBelow(end) - 1; i >= 0 && highestEnds[i] > start; i--) {
            if (end(slots[i]) > start) {
                found.add(slots[i]);
            }
        }
        found.sort(Comparator.comparingLong(Memslot::baseGfn));
        return found;
    }

    private int countStartingBelow(long hva) {
        int low = 0;
        int high = slots.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (slots[middle].userspaceAddr() < hva) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
