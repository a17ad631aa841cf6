package kvasir.metal.tdx;

import java.util.List;
import java.util.Optional;
import kvasir.metal.memory.PhysicalMemory;

/**
 * The physical address metadata table: 16-byte entries for every 4K, 2M and 1G page of the TDMRs, in host memory.
 * Bytes 0-1 lock, 2 page type, 3-7 PA[51:12] of the owner, 8-15 BEPOCH.
 */
public final class Pamt {
    static final int ENTRY_BYTES = 16;
    static final int SIZE_4K = 0;
    static final int SIZE_2M = 1;
    static final int SIZE_1G = 2;
    private static final long GIB = 1L << 30;

    private final PhysicalMemory memory;
    private final ModuleState state;

    Pamt(PhysicalMemory memory, ModuleState state) {
        this.memory = memory;
        this.state = state;
    }

    /** Bytes in a page of that size. */
    static long bytes(int size) {
        return 4096L << 9 * size;
    }

    /** Whether the page lies in a TDMR, in a block that TDMR.INIT has reached. */
    boolean covers(long hpa) {
        return find(hpa).isPresent();
    }

    private Optional<Tdmr> find(long hpa) {
        List<Tdmr> tdmrs = state.tdmrs;
        for (int i = 0; i < tdmrs.size(); i++) {
            Tdmr tdmr = tdmrs.get(i);
            if (tdmr.contains(hpa)) {
                return hpa < state.tdmrInitialised[i] ? Optional.of(tdmr) : Optional.empty();
            }
        }
        return Optional.empty();
    }

    /** HPA of the entry of the page of {@code size} that holds {@code hpa}, which must be covered. */
    long entryHpa(long hpa, int size) {
        Tdmr tdmr = find(hpa).orElseThrow(() -> new IllegalStateException("no PAMT for " + Long.toHexString(hpa)));
        return tdmr.pamt().get(size) + (hpa - tdmr.base()) / bytes(size) * ENTRY_BYTES;
    }

    TryLock lock(long hpa, int size) {
        return new TryLock.Sharex(new LockWord.InMemory(memory, entryHpa(hpa, size)));
    }

    PageType type(long hpa, int size) {
        return PageType.of(memory.read8(entryHpa(hpa, size) + 2));
    }

    long owner(long hpa, int size) {
        return memory.read64(entryHpa(hpa, size)) >>> 24 << 12;
    }

    long bepoch(long hpa, int size) {
        return memory.read64(entryHpa(hpa, size) + 8);
    }

    void setBepoch(long hpa, int size, long bepoch) {
        memory.write64(entryHpa(hpa, size) + 8, bepoch);
    }

    /** Gives the page a type and an owner, BEPOCH 0. The lock is left alone. */
    void assign(long hpa, int size, PageType type, long owner) {
        long entry = entryHpa(hpa, size);
        long lock = memory.read64(entry) & 0xffff;
        memory.write64(entry, lock | (long) type.number() << 16 | owner >>> 12 << 24);
        memory.write64(entry + 8, 0);
    }

    /** Changes the type to PT_NDA and nothing else: the module leaves OWNER as it was. */
    void free(long hpa, int size) {
        memory.write8(entryHpa(hpa, size) + 2, (byte) PageType.PT_NDA.number());
    }

    /** The entry that describes {@code hpa}: found by looking at 1G, then 2M, then 4K; empty outside the TDMRs. */
    public Optional<PamtEntry> lookup(long hpa) {
        if (!covers(hpa)) {
            return Optional.empty();
        }
        int size = SIZE_1G;
        while (size > SIZE_4K && type(hpa, size) == PageType.PT_NDA) {
            size--;
        }
        return Optional.of(new PamtEntry(type(hpa, size), owner(hpa, size), bepoch(hpa, size), size));
    }

    /** Shared holders of the lock of the page's 4K entry; −1 if it is held exclusively. */
    public int holders(long hpa) {
        int word = memory.read16(entryHpa(hpa, SIZE_4K)) & 0xffff;
        return (word & 1) != 0 ? -1 : word >>> 2;
    }

    /** Looks at one entry. */
    @FunctionalInterface
    public interface Visitor {
        /** @param hpa first address that the entry describes */
        void visit(long hpa, PamtEntry entry);
    }

    /** Visits every entry that is not PT_NDA, 4K entries first, each size in the order of addresses. */
    public void visit(Visitor visitor) {
        for (Tdmr tdmr : state.tdmrs) {
            for (int size = SIZE_4K; size <= SIZE_1G; size++) {
                visit(tdmr, size, visitor);
            }
        }
    }

    private void visit(Tdmr tdmr, int size, Visitor visitor) {
        long first = tdmr.pamt().get(size);
        long end = first + tdmr.size() / bytes(size) * ENTRY_BYTES;
        long endFrame = end + 4095 >>> 12;
        for (long frame = memory.nextMaterialized(first >>> 12, endFrame);
                frame < endFrame;
                frame = memory.nextMaterialized(frame + 1, endFrame)) {
            long last = Math.min(end, frame + 1 << 12);
            for (long at = Math.max(first, frame << 12); at < last; at += ENTRY_BYTES) {
                long hpa = tdmr.base() + (at - first) / ENTRY_BYTES * bytes(size);
                if (memory.read8(at + 2) != 0) {
                    visitor.visit(hpa, new PamtEntry(type(hpa, size), owner(hpa, size), bepoch(hpa, size), size));
                }
            }
        }
    }

    /** Whether the page and everything below it is PT_NDA. */
    boolean allNda(long hpa, int size) {
        if (type(hpa, size) != PageType.PT_NDA) {
            return false;
        }
        for (long page = hpa; size > SIZE_4K && page < hpa + bytes(size); page += bytes(size - 1)) {
            if (type(page, size - 1) != PageType.PT_NDA) {
                return false;
            }
        }
        return true;
    }

    /** Splits a page into 512 of the next smaller size, same owner, BEPOCH 0. */
    void demote(long hpa, int size) {
        long owner = owner(hpa, size);
        free(hpa, size);
        for (int i = 0; i < 512; i++) {
            assign(hpa + i * bytes(size - 1), size - 1, PageType.PT_REG, owner);
        }
    }

    /** Joins 512 pages into one of {@code size}, owned by the owner of the first. */
    void promote(long hpa, int size) {
        long owner = owner(hpa, size - 1);
        for (int i = 0; i < 512; i++) {
            free(hpa + i * bytes(size - 1), size - 1);
        }
        assign(hpa, size, PageType.PT_REG, owner);
    }

    /** Fills the entries of the 1 GiB block at {@code base}: reserved 4K pages PT_RSVD, all else PT_NDA. */
    void initialise(Tdmr tdmr, long base) {
        for (int size = SIZE_4K; size <= SIZE_1G; size++) {
            long first = tdmr.pamt().get(size) + (base - tdmr.base()) / bytes(size) * ENTRY_BYTES;
            zero(first, GIB / bytes(size) * ENTRY_BYTES);
        }
        for (var area : tdmr.reserved()) {
            long start = Math.max(area.start(), base);
            long end = Math.min(area.end(), base + GIB);
            for (long page = start; page < end; page += 4096) {
                long entry = tdmr.pamt().getFirst() + (page - tdmr.base()) / 4096 * ENTRY_BYTES;
                memory.write64(entry, (long) PageType.PT_RSVD.number() << 16);
            }
        }
    }

    private void zero(long hpa, long bytes) {
        long firstWhole = hpa + 4095 & -4096L;
        long endWhole = Math.max(firstWhole, hpa + bytes & -4096L);
        zeroWords(hpa, Math.min(firstWhole, hpa + bytes));
        memory.discard(firstWhole >>> 12, endWhole - firstWhole >>> 12);
        zeroWords(Math.max(endWhole, hpa), hpa + bytes);
    }

    private void zeroWords(long from, long to) {
        for (long word = from; word < to; word += 8) {
            if (memory.read64(word) != 0) {
                memory.write64(word, 0);
            }
        }
    }
}
