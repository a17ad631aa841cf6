package kvasir.kvm.mm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import kvasir.kvm.Seams;

/**
 * The present entries of a process's page table, as maximal runs: a terabyte that was faulted in order is one run. Page
 * numbers are hva &gt;&gt; 12.
 */
final class HostPageTable {
    private static final HostPte NOTHING = new HostPte(0, 0, 0, 1, false, HostPte.Kind.ZERO);

    private static final int BLOCK_SHIFT = 9;
    private static final long MIX = 0x9e3779b97f4a7c15L;

    private final Seams seams;
    private TreeMap<Long, HostPte> runs = new TreeMap<>();
    private HostPte last = NOTHING;

    HostPageTable(Seams seams) {
        this.seams = seams;
    }

    /** The entries of 2 MiB of addresses as one number. */
    private long block(long number) {
        long first = number << BLOCK_SHIFT;
        long end = first + (1 << BLOCK_SHIFT);
        long hash = 0;
        for (HostPte run : runs(first, end)) {
            long from = Math.max(first, run.start());
            hash = (hash ^ from) * MIX;
            hash = (hash ^ Math.min(end, run.end())) * MIX;
            hash = (hash ^ run.pfnAt(from)) * MIX;
            hash = (hash ^ (run.level() << 3 | run.kind().ordinal() << 1 | (run.writable() ? 1 : 0))) * MIX;
        }
        return hash;
    }

    private void goesBy(long start, long end) {
        if (seams.footprint().listening()) {
            for (long number = start >>> BLOCK_SHIFT; number << BLOCK_SHIFT < end; number++) {
                seams.footprint().read("mm.pte" + number, block(number));
            }
        }
    }

    private void changing(long start, long end, Runnable change) {
        if (!seams.footprint().listening()) {
            change.run();
            return;
        }
        long first = start >>> BLOCK_SHIFT;
        var before = new long[(int) ((end - 1 >>> BLOCK_SHIFT) - first + 1)];
        for (int i = 0; i < before.length; i++) {
            before[i] = block(first + i);
            seams.footprint().read("mm.pte" + (first + i), before[i]);
        }
        change.run();
        for (int i = 0; i < before.length; i++) {
            seams.footprint().wrote("mm.pte" + (first + i), before[i], block(first + i));
        }
    }

    /** The run that contains {@code page}; one with no pages if nothing is mapped there. */
    HostPte find(long page) {
        goesBy(page, page + 1);
        if (page >= last.start() && page < last.end()) {
            return last;
        }
        Map.Entry<Long, HostPte> entry = runs.floorEntry(page);
        if (entry == null || page >= entry.getValue().end()) {
            return NOTHING;
        }
        last = entry.getValue();
        return last;
    }

    /** Whether anything is mapped in {@code [start, end)}. */
    boolean any(long start, long end) {
        goesBy(start, end);
        Map.Entry<Long, HostPte> entry = runs.lowerEntry(end);
        return entry != null && entry.getValue().end() > start;
    }

    /** Adds entries where there are none. */
    void map(HostPte added) {
        changing(added.start(), added.end(), () -> mapped(added));
    }

    private void mapped(HostPte added) {
        HostPte run = added;
        HostPte before = last;
        if (before.pages() == 0 || before.end() != run.start()) {
            Map.Entry<Long, HostPte> entry = runs.lowerEntry(run.start());
            before = entry == null ? NOTHING : entry.getValue();
        }
        if (before.pages() != 0 && before.continuedBy(run)) {
            run = before.withPages(before.pages() + run.pages());
        }
        HostPte after = runs.get(run.end());
        if (after != null && run.continuedBy(after)) {
            runs.remove(after.start());
            run = run.withPages(run.pages() + after.pages());
        }
        runs.put(run.start(), run);
        last = run;
    }

    /** Removes and returns the entries of {@code [start, end)}; a huge entry that is cut becomes small ones. */
    List<HostPte> unmap(long start, long end) {
        var removed = new ArrayList<HostPte>();
        changing(start, end, () -> {
            last = NOTHING;
            cutAt(start);
            cutAt(end);
            var inside = runs.subMap(start, end);
            removed.addAll(inside.values());
            inside.clear();
        });
        return removed;
    }

    /** All runs that touch {@code [start, end)}, in order. */
    List<HostPte> runs(long start, long end) {
        if (end <= start) {
            return List.of();
        }
        Long first = runs.floorKey(start);
        return runs.subMap(first == null ? start : first, end).values().stream()
                .filter(run -> run.end() > start)
                .toList();
    }

    Runnable checkpoint() {
        var saved = new TreeMap<>(runs);
        return () -> {
            runs = new TreeMap<>(saved);
            last = NOTHING;
        };
    }

    /** Makes the huge entry that {@code page} lies inside into small ones. */
    void cut(long page) {
        changing(page, page + 1, () -> cutAt(page));
    }

    private void cutAt(long page) {
        Map.Entry<Long, HostPte> entry = runs.lowerEntry(page);
        if (entry == null || entry.getValue().end() <= page) {
            return;
        }
        HostPte run = entry.getValue();
        last = NOTHING;
        runs.remove(run.start());
        long block = page & -run.leafPages();
        long blockEnd = block == page ? page : block + run.leafPages();
        put(run.part(run.start(), block, run.level()));
        put(run.part(block, page, 1));
        put(run.part(page, blockEnd, 1));
        put(run.part(blockEnd, run.end(), run.level()));
    }

    private void put(HostPte run) {
        if (run.pages() != 0) {
            runs.put(run.start(), run);
        }
    }
}
