package kvasir.kvm.mmu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kvasir.kvm.Seams;
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
    private final Seams seams;
    private final String name;
    private final String readersCell;
    private final String awaitingCell;
    private Map<Long, Long> external = new HashMap<>();
    private List<Long> awaitingGracePeriod = new ArrayList<>();
    private int readers;
    private long tables;

    /** @param name the VM's */
    TablePages(String name, PhysicalMemory memory, HostPages host, Seams seams) {
        this.memory = memory;
        this.host = host;
        this.seams = seams;
        this.name = name;
        awaitingCell = name + ".rcu_callbacks";
        readersCell = name + ".rcu";
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
        if (seams.footprint().listening()) {
            seams.footprint().wrote(externalCell(table), external(table), pfn);
        }
        external.put(table, pfn);
        return true;
    }

    /** The external twin of a mirror table. */
    long external(long table) {
        if (seams.footprint().listening()) {
            seams.footprint().read(externalCell(table), external.getOrDefault(table, -1L));
        }
        return external.getOrDefault(table, -1L);
    }

    /** Forgets the external twin of a table, which the vendor has taken back or leaked. */
    void forgetExternal(long table) {
        if (seams.footprint().listening()) {
            seams.footprint().wrote(externalCell(table), external(table), -1);
        }
        external.remove(table);
    }

    /** Frees a table that nobody else has ever seen. */
    void freeNow(long table) {
        if (seams.footprint().listening()) {
            seams.footprint().wrote(externalCell(table), external(table), -1);
        }
        Long twin = external.remove(table);
        if (twin != null) {
            host.free(twin, 1, HostPages.Use.UNMOVABLE);
        }
        tables--;
        host.free(table, 1, HostPages.Use.UNMOVABLE);
    }

    /** Frees a table that lockless walkers may still read (call_rcu). */
    void freeAfterGracePeriod(long table) {
        if (seams.footprint().listening()) {
            long before = awaiting();
            seams.footprint().read(awaitingCell, before);
            awaitingGracePeriod.add(table);
            seams.footprint().wrote(awaitingCell, before, awaiting());
        } else {
            awaitingGracePeriod.add(table);
        }
        seams.footprint().read(readersCell, readers);
        if (readers == 0) {
            reclaim();
        }
    }

    void rcuReadLock() {
        seams.footprint().added(readersCell, readers, 1);
        readers++;
    }

    void rcuReadUnlock() {
        seams.footprint().added(readersCell, readers, -1);
        readers--;
        if (seams.footprint().listening()) {
            seams.footprint().read(awaitingCell, awaiting());
        }
        if (!awaitingGracePeriod.isEmpty()) {
            seams.footprint().read(readersCell, readers);
            if (readers == 0) {
                reclaim();
            }
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
        long before = seams.footprint().listening() ? awaiting() : 0;
        for (long table : awaitingGracePeriod) {
            freeNow(table);
        }
        awaitingGracePeriod.clear();
        seams.footprint().wrote(awaitingCell, before, 0);
    }

    private String externalCell(long table) {
        return name + ".external" + table;
    }

    private long awaiting() {
        long hash = 0;
        for (long table : awaitingGracePeriod) {
            hash += (table + 1) * 0xd1342543de82ef95L;
        }
        return hash;
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
