package kvasir.kvm.mmu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kvasir.kvm.mm.HostPages;
import kvasir.metal.memory.PhysicalMemory;

/**
 * The pages that page tables are made of: taken from the host's allocator, given back after an RCU grace period.
 *
 * <p>A table keeps nothing beside its bytes, except for the two things that cannot be read from them: the external
 * page of a mirror table, and that a table exists only because of the NX mitigation ({@link NxHugePages}).
 */
final class TablePages {
    private final PhysicalMemory memory;
    private final HostPages host;
    private Map<Long, Long> external = new HashMap<>();
    private List<Long> awaitingGracePeriod = new ArrayList<>();
    private int readers;
    private long tables;

    TablePages(PhysicalMemory memory, HostPages host) {
        this.memory = memory;
        this.host = host;
    }

    /** A table with {@link Spte#EMPTY} in every entry; -1 if the host has no memory left. */
    long allocate() {
        long pfn = host.allocate(HostPages.Use.UNMOVABLE);
        if (pfn >= 0) {
            memory.fillFrame(pfn, Spte.EMPTY);
            tables++;
        }
        return pfn;
    }

    /** A page for the vendor to use as the table's external twin; false if the host has no memory left. */
    boolean allocateExternal(long table) {
        long pfn = host.allocate(HostPages.Use.UNMOVABLE);
        if (pfn < 0) {
            return false;
        }
        external.put(table, pfn);
        return true;
    }

    /** The external twin of a mirror table. */
    long external(long table) {
        return external.getOrDefault(table, -1L);
    }

    /** Forgets the external twin of a table, which the vendor has taken back or leaked. */
    void forgetExternal(long table) {
        external.remove(table);
    }

    /** Frees a table that nobody else has ever seen. */
    void freeNow(long table) {
        Long twin = external.remove(table);
        if (twin != null) {
            host.free(twin, 1, HostPages.Use.UNMOVABLE);
        }
        tables--;
        host.free(table, 1, HostPages.Use.UNMOVABLE);
    }

    /** Frees a table that lockless walkers may still read (call_rcu). */
    void freeAfterGracePeriod(long table) {
        awaitingGracePeriod.add(table);
        if (readers == 0) {
            reclaim();
        }
    }

    void rcuReadLock() {
        readers++;
    }

    void rcuReadUnlock() {
        if (--readers == 0 && !awaitingGracePeriod.isEmpty()) {
            reclaim();
        }
    }

    /** Tables in use, roots included; those waiting for a grace period count. */
    long tables() {
        return tables;
    }

    /** Whether the table was unlinked and only waits for its readers. */
    boolean awaitsGracePeriod(long table) {
        return awaitingGracePeriod.contains(table);
    }

    private void reclaim() {
        for (long table : awaitingGracePeriod) {
            freeNow(table);
        }
        awaitingGracePeriod.clear();
    }

    Runnable checkpoint() {
        var savedExternal = new HashMap<>(external);
        var savedAwaiting = new ArrayList<>(awaitingGracePeriod);
        int savedReaders = readers;
        long savedTables = tables;
        return () -> {
            external = new HashMap<>(savedExternal);
            awaitingGracePeriod = new ArrayList<>(savedAwaiting);
            readers = savedReaders;
            tables = savedTables;
        };
    }
}
