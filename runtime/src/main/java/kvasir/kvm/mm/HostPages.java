package kvasir.kvm.mm;

import java.util.ArrayList;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import kvasir.kvm.Footprint;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.paging.HostWriteCheck;

/**
 * The host's page allocator. Pages that move with a process and pages of the kernel come from different 2 MiB blocks,
 * as Linux's migrate types do, so that memory faulted in order is contiguous. Deterministic: the lowest fitting address.
 */
public final class HostPages {
    private static final long BLOCK = 512;
    private static final long GIGABYTE = 512 * 512;
    private static final long FIRST_MEGABYTE = 256;

    private final PhysicalMemory memory;
    private final PageRanges blocks = new PageRanges();
    private final Zone[] zones = {new Zone(), new Zone(), new Zone()};
    private long used;
    private BooleanSupplier fails = () -> false;
    private Optional<HostWriteCheck> writeCheck = Optional.empty();
    private Lanes lanes = new Lanes(() -> 0, () -> Footprint.NONE, new long[0], new long[0]);

    /** What a page is for. */
    public enum Use {
        /** Anonymous and page-cache memory of processes. */
        MOVABLE,
        /** Page tables and other pages of the kernel. */
        UNMOVABLE,
        /** guest_memfd pages. */
        GMEM
    }

    /** Single pages of one use: a run that is being handed out, and others. */
    private static final class Zone {
        final PageRanges free = new PageRanges();
        long next;
        long end;
    }

    /**
     * Pages set apart for each task of an exploration: which page a task gets then does not depend on what the others
     * took before, and none is used twice.
     */
    private static final class Lanes {
        /** The running task. */
        final IntSupplier task;

        /** Who hears what it takes. */
        final Supplier<Footprint> footprint;

        /** Of each task, the next page. */
        final long[] next;

        /** Of each task, the next 2 MiB page. */
        final long[] next2m;

        Lanes(IntSupplier task, Supplier<Footprint> footprint, long[] next, long[] next2m) {
            this.task = task;
            this.footprint = footprint;
            this.next = next;
            this.next2m = next2m;
        }

        /** Takes {@code pages} from the running task's share of {@code next}: what it took before decides which. */
        long take(long[] next, String what, long pages) {
            int running = task.getAsInt();
            long taken = next[running];
            next[running] += pages;
            Footprint told = footprint.get();
            if (told.listening()) {
                String cell = what + running;
                long before = taken / pages % BLOCK;
                told.read(cell, before);
                told.wrote(cell, before, before + 1);
            }
            return taken;
        }
    }

    /** @param memory what to hand out, from 1 MiB upwards */
    public HostPages(PhysicalMemory memory) {
        this.memory = memory;
        blocks.add(BLOCK, (memory.size() >>> 12) / BLOCK * BLOCK);
        zones[Use.UNMOVABLE.ordinal()].free.add(FIRST_MEGABYTE, BLOCK);
    }

    /** Asks {@code fault} before every allocation whether it fails. */
    public void failWhen(BooleanSupplier fault) {
        fails = fault;
    }

    /** The processor has a reverse map: host, devices and plain guests may write a page only if {@code check} says so. */
    public void writableIf(HostWriteCheck check) {
        writeCheck = Optional.of(check);
    }

    /** What decides beside page tables what the host may write, if anything does. */
    public Optional<HostWriteCheck> writeCheck() {
        return writeCheck;
    }

    /** Whether something but the page tables decides what the host may write. */
    public boolean checksWrites() {
        return writeCheck.isPresent();
    }

    /** Whether a write of the host to page {@code pfn} goes through; else it is a page fault with the RMP bit. */
    public boolean writable(long pfn) {
        return writeCheck.isEmpty() || writeCheck.get().allows(pfn << 12, 1);
    }

    /**
     * The same through a mapping of its own size: one of 2M wants the whole 2M to be the host's (APM 2, 15.36.10).
     *
     * @param level of the leaf, 1 for 4K to 3 for 1G
     */
    public boolean writable(long pfn, int level) {
        return writeCheck.isEmpty() || writeCheck.get().allows(pfn << 12, level);
    }

    /** Takes {@code [start, end)} out for good: memory that firmware or a table of the processor lies in. */
    public void reserve(long start, long end) {
        blocks.remove(start, end);
    }

    /** Whether the allocator could hand the page out. */
    public boolean isFree(long pfn) {
        if (blocks.contains(pfn)) {
            return true;
        }
        for (Zone zone : zones) {
            if (zone.free.contains(pfn) || pfn >= zone.next && pfn < zone.end) {
                return true;
            }
        }
        return false;
    }

    /** Pages handed out and not given back. */
    public long used() {
        return used;
    }

    /** One page, zero filled; -1 when memory is exhausted. */
    public long allocate(Use use) {
        if (fails.getAsBoolean()) {
            return -1;
        }
        if (lanes.next.length != 0) {
            return lanes.take(lanes.next, "pages of task ", 1);
        }
        Zone zone = zones[use.ordinal()];
        if (zone.next == zone.end && !refill(zone)) {
            return -1;
        }
        used++;
        return zone.next++;
    }

    private boolean refill(Zone zone) {
        if (zone.free.isEmpty()) {
            long block = blocks.take(BLOCK);
            zone.next = block;
            zone.end = block + BLOCK;
            if (block < 0) {
                zone.end = block;
            }
        } else {
            PageRanges.Run run = zone.free.runs().getFirst();
            zone.free.remove(run.start(), run.end());
            zone.next = run.start();
            zone.end = run.end();
        }
        return zone.next != zone.end;
    }

    /** {@code 512^(level-1)} contiguous pages with that alignment, zero filled; -1 if there are none. */
    public long allocateHuge(int level) {
        if (fails.getAsBoolean()) {
            return -1;
        }
        long pages = level == 3 ? GIGABYTE : BLOCK;
        if (lanes.next.length != 0 && level == 2) {
            return lanes.take(lanes.next2m, "2M pages of task ", BLOCK);
        }
        long pfn = blocks.take(pages);
        if (pfn >= 0) {
            used += pages;
        }
        return pfn;
    }

    /**
     * From now on each task has pages of its own: 512 single ones and 8 of 2 MiB.
     *
     * @param tasks how many
     * @param task which of them runs
     * @param footprint who hears what it takes
     */
    public void divide(int tasks, IntSupplier task, Supplier<Footprint> footprint) {
        var next = new long[tasks];
        var next2m = new long[tasks];
        for (int i = 0; i < tasks; i++) {
            next[i] = blocks.take(BLOCK);
            next2m[i] = blocks.take(8 * BLOCK);
        }
        lanes = new Lanes(task, footprint, next, next2m);
    }

    /** Gives {@code pages} pages back; their content is forgotten. */
    public void free(long pfn, long pages, Use use) {
        for (long i = 0; i < pages; i++) {
            memory.discard(pfn + i);
        }
        if (lanes.next.length != 0) {
            return;
        }
        used -= pages;
        PageRanges free = zones[use.ordinal()].free;
        PageRanges.Run run = free.add(pfn, pfn + pages);
        long blockStart = (run.start() + BLOCK - 1) / BLOCK * BLOCK;
        long blockEnd = run.end() / BLOCK * BLOCK;
        if (blockStart < blockEnd) {
            free.remove(blockStart, blockEnd);
            blocks.add(blockStart, blockEnd);
        }
    }

    /** The fields as they are, as an action that puts them back. */
    public Runnable checkpoint() {
        var parts = new ArrayList<Runnable>();
        parts.add(blocks.checkpoint());
        for (Zone zone : zones) {
            long next = zone.next;
            long end = zone.end;
            parts.add(zone.free.checkpoint());
            parts.add(() -> {
                zone.next = next;
                zone.end = end;
            });
        }
        long savedUsed = used;
        Lanes savedLanes = lanes;
        long[] savedNext = lanes.next.clone();
        long[] savedNext2m = lanes.next2m.clone();
        return () -> {
            parts.forEach(Runnable::run);
            lanes = new Lanes(savedLanes.task, savedLanes.footprint, savedNext.clone(), savedNext2m.clone());
            used = savedUsed;
        };
    }
}
