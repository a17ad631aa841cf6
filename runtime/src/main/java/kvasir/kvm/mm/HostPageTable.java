package kvasir.kvm.mm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The present entries of a process's page table, as maximal runs: a terabyte that was faulted in order is one run. Page
 * numbers are hva &gt;&gt; 12.
 */
final class HostPageTable {
    private static final HostPte NOTHING = new HostPte(0, 0, 0, 1, false, HostPte.Kind.ZERO);

    private TreeMap<Long, HostPte> runs = new TreeMap<>();
    private HostPte last = NOTHING;

    /** The run that contains {@code page}; one with no pages if nothing is mapped there. */
    HostPte find(long page) {
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
        Map.Entry<Long, HostPte> entry = runs.lowerEntry(end);
        return entry != null && entry.getValue().end() > start;
    }

    /** Adds entries where there are none. */
    void map(HostPte added) {
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
        last = NOTHING;
        cut(start);
        cut(end);
        var inside = runs.subMap(start, end);
        var removed = new ArrayList<>(inside.values());
        inside.clear();
        return removed;
    }

    /** All runs that touch {@code [start, end)}, in order. */
    List<HostPte> runs(long start, long end) {
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
