package kvasir.kvm.gmem;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Which page of the host holds each index of a file, as maximal runs in which both go up together. */
final class PageExtents {
    private TreeMap<Long, Run> runs = new TreeMap<>();
    private Run last = new Run(0, 0, 0);

    /** Pages {@code index .. index + pages} are {@code pfn .. pfn + pages}. */
    record Run(long index, long pages, long pfn) {}

    long get(long index) {
        if (index >= last.index && index - last.index < last.pages) {
            return last.pfn + index - last.index;
        }
        Map.Entry<Long, Run> entry = runs.floorEntry(index);
        if (entry == null || index - entry.getValue().index >= entry.getValue().pages) {
            return -1;
        }
        last = entry.getValue();
        return last.pfn + index - last.index;
    }

    /** Adds a page where there is none. */
    void put(long index, long pfn) {
        Map.Entry<Long, Run> before = runs.lowerEntry(index);
        var run = new Run(index, 1, pfn);
        if (before != null) {
            Run b = before.getValue();
            if (b.index + b.pages == index && b.pfn + b.pages == pfn) {
                run = new Run(b.index, b.pages + 1, b.pfn);
            }
        }
        Run after = runs.get(index + 1);
        if (after != null && after.pfn == pfn + 1) {
            runs.remove(after.index);
            run = new Run(run.index, run.pages + after.pages, run.pfn);
        }
        runs.put(run.index, run);
        last = run;
    }

    /** Removes the pages of {@code [start, end)} and returns them. */
    List<Run> remove(long start, long end) {
        last = new Run(0, 0, 0);
        split(start);
        split(end);
        var inside = runs.subMap(start, end);
        var removed = new ArrayList<>(inside.values());
        inside.clear();
        return removed;
    }

    Runnable checkpoint() {
        var saved = new TreeMap<>(runs);
        return () -> {
            runs = new TreeMap<>(saved);
            last = new Run(0, 0, 0);
        };
    }

    private void split(long at) {
        Map.Entry<Long, Run> entry = runs.lowerEntry(at);
        if (entry != null) {
            Run run = entry.getValue();
            long head = at - run.index;
            if (head < run.pages) {
                runs.put(run.index, new Run(run.index, head, run.pfn));
                runs.put(at, new Run(at, run.pages - head, run.pfn + head));
            }
        }
    }
}
