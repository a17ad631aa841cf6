package kvasir.kvm.mm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Which page of the host holds each index of a file, as maximal runs in which both go up together. */
public final class PageExtents {
    private static final Run NOTHING = new Run(0, 0, 0);

    private TreeMap<Long, Run> runs = new TreeMap<>();
    private Run last = NOTHING;

    /** Pages {@code index .. index + pages} are {@code pfn .. pfn + pages}. */
    public record Run(long index, long pages, long pfn) {
        private long end() {
            return index + pages;
        }
    }

    /** The pfn of {@code index}; -1 if there is none. */
    public long get(long index) {
        if (index >= last.index && index < last.end()) {
            return last.pfn + index - last.index;
        }
        Map.Entry<Long, Run> entry = runs.floorEntry(index);
        if (entry == null || index >= entry.getValue().end()) {
            return -1;
        }
        last = entry.getValue();
        return last.pfn + index - last.index;
    }

    /** Whether there is a page in {@code [start, end)}. */
    public boolean any(long start, long end) {
        Map.Entry<Long, Run> entry = runs.lowerEntry(end);
        return entry != null && entry.getValue().end() > start;
    }

    /** Adds pages where there are none. */
    public void put(long index, long pages, long pfn) {
        var run = new Run(index, pages, pfn);
        Run before = last;
        if (before.pages == 0 || before.end() != index) {
            Map.Entry<Long, Run> entry = runs.lowerEntry(index);
            before = entry == null ? NOTHING : entry.getValue();
        }
        if (before.pages != 0 && before.end() == index && before.pfn + before.pages == pfn) {
            run = new Run(before.index, before.pages + pages, before.pfn);
        }
        Run after = runs.get(run.end());
        if (after != null && after.pfn == run.pfn + run.pages) {
            runs.remove(after.index);
            run = new Run(run.index, run.pages + after.pages, run.pfn);
        }
        runs.put(run.index, run);
        last = run;
    }

    /** Removes the pages of {@code [start, end)} and returns them. */
    public List<Run> remove(long start, long end) {
        last = NOTHING;
        cut(start);
        cut(end);
        var inside = runs.subMap(start, end);
        var removed = new ArrayList<>(inside.values());
        inside.clear();
        return removed;
    }

    /** All runs in order. */
    public List<Run> runs() {
        return List.copyOf(runs.values());
    }

    /** The extents as they are, as an action that puts them back. */
    public Runnable checkpoint() {
        var saved = new TreeMap<>(runs);
        return () -> {
            runs = new TreeMap<>(saved);
            last = NOTHING;
        };
    }

    private void cut(long at) {
        Map.Entry<Long, Run> entry = runs.lowerEntry(at);
        if (entry != null && entry.getValue().end() > at) {
            Run run = entry.getValue();
            long head = at - run.index;
            runs.put(run.index, new Run(run.index, head, run.pfn));
            runs.put(at, new Run(at, run.pages - head, run.pfn + head));
        }
    }
}
