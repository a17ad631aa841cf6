package kvasir.kvm;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One of the two slot sets of an address space (struct kvm_memslots), sorted by gfn. A set is only edited while it is
 * the inactive one.
 */
public final class Memslots {
    /** Bit 63 of the generation: an update is in flight. */
    public static final long UPDATE_IN_PROGRESS = 1L << 63;

    private Memslot[] slots = {};
    private Map<Integer, Memslot> ids = new HashMap<>();
    private long pages;
    private Memslot lastUsed = Memslot.NONE;

    /** The slots in order of hva (the kernel's hva_tree), made when it is asked for; empty after an edit. */
    private Optional<HvaOrder> byHva = Optional.empty();

    private long generation;

    Memslots(long generation) {
        this.generation = generation;
    }

    /** The slot that contains {@code gfn}, also if it is INVALID; {@link Memslot#NONE} if there is none. */
    public Memslot lookup(long gfn) {
        if (lastUsed.contains(gfn)) {
            return lastUsed;
        }
        int low = firstEndingAfter(gfn);
        if (low < slots.length && slots[low].contains(gfn)) {
            lastUsed = slots[low];
            return lastUsed;
        }
        return Memslot.NONE;
    }

    /** The slot with this id; {@link Memslot#NONE} if there is none. */
    public Memslot byId(int id) {
        return ids.getOrDefault(id, Memslot.NONE);
    }

    /** Pages of all slots together. */
    public long pages() {
        return pages;
    }

    /** All slots in order of gfn. */
    public List<Memslot> all() {
        return List.of(slots);
    }

    /** Slots that share a gfn with {@code [start, end)}, in order of gfn. */
    public List<Memslot> intersecting(long start, long end) {
        int first = firstEndingAfter(start);
        int last = first;
        while (last < slots.length && Long.compareUnsigned(slots[last].baseGfn(), end) < 0) {
            last++;
        }
        return List.of(Arrays.copyOfRange(slots, first, last));
    }

    /** Slots that share an hva with {@code [start, end)}, in order of gfn. */
    List<Memslot> mapping(long start, long end) {
        if (byHva.isEmpty()) {
            byHva = Optional.of(HvaOrder.of(slots));
        }
        return byHva.get().intersecting(start, end);
    }

    /** Generation, with {@link #UPDATE_IN_PROGRESS}. */
    public long generation() {
        return generation;
    }

    void setGeneration(long generation) {
        this.generation = generation;
    }

    void insert(Memslot slot) {
        int at = firstEndingAfter(slot.baseGfn());
        var grown = new Memslot[slots.length + 1];
        System.arraycopy(slots, 0, grown, 0, at);
        grown[at] = slot;
        System.arraycopy(slots, at, grown, at + 1, slots.length - at);
        slots = grown;
        byHva = Optional.empty();
        ids.put(slot.id(), slot);
        pages += slot.npages();
        lastUsed = Memslot.NONE;
    }

    void remove(Memslot slot) {
        slots = Arrays.stream(slots).filter(s -> s.id() != slot.id()).toArray(Memslot[]::new);
        byHva = Optional.empty();
        ids.remove(slot.id());
        pages -= slot.npages();
        lastUsed = Memslot.NONE;
    }

    long fingerprint() {
        long hash = generation;
        for (Memslot slot : slots) {
            hash = hash * 31 + slot.fingerprint();
        }
        return hash;
    }

    Memslots copy() {
        var copy = new Memslots(generation);
        copy.slots = slots;
        copy.ids = new HashMap<>(ids);
        copy.pages = pages;
        return copy;
    }

    private int firstEndingAfter(long gfn) {
        int low = 0;
        int high = slots.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(slots[middle].endGfn(), gfn) <= 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    @Override
    public String toString() {
        return "memslots of generation " + (generation & ~UPDATE_IN_PROGRESS);
    }
}
