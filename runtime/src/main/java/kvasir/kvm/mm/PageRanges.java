package kvasir.kvm.mm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A set of page numbers (gfns, pfns, indices; signed, not negative), as maximal runs. */
public final class PageRanges {
    private TreeMap<Long, Long> runs = new TreeMap<>();
    private long cachedStart;
    private long cachedEnd;

    /** Pages {@code [start, end)}. */
    public record Run(long start, long end) {}

    /** Whether {@code page} is in the set. */
    public boolean contains(long page) {
        if (page >= cachedStart && page < cachedEnd) {
            return true;
        }
        Map.Entry<Long, Long> run = runs.floorEntry(page);
        if (run == null || page >= run.getValue()) {
            return false;
        }
        cachedStart = run.getKey();
        cachedEnd = run.getValue();
        return true;
    }

    /** Whether all of {@code [start, end)} is in the set. */
    public boolean covers(long start, long end) {
        Map.Entry<Long, Long> run = runs.floorEntry(start);
        return run != null && run.getValue() >= end;
    }

    /** Whether any of {@code [start, end)} is in the set. */
    public boolean intersects(long start, long end) {
        Map.Entry<Long, Long> run = runs.lowerEntry(end);
        return run != null && run.getValue() > start;
    }

    /** Whether the set is empty. */
    public boolean isEmpty() {
        return runs.isEmpty();
    }

    /** The runs in order. */
    public List<Run> runs() {
        var list = new ArrayList<Run>();
        runs.forEach((start, end) -> list.add(new Run(start, end)));
        return list;
    }

    /** Adds {@code [start, end)}, which is not empty, and returns the run it became part of. */
    public Run add(long start, long end) {
        forgetCache();
        long from = start;
        long to = end;
        Map.Entry<Long, Long> run = runs.floorEntry(start);
        if (run != null && run.getValue() >= start) {
            from = run.getKey();
            to = Math.max(to, run.getValue());
        }
        while ((run = runs.ceilingEntry(from)) != null && run.getKey() <= to) {
            to = Math.max(to, run.getValue());
            runs.remove(run.getKey());
        }
        runs.put(from, to);
        return new Run(from, to);
    }

    /** Removes {@code [start, end)}, of which some or none may be in the set. */
    public void remove(long start, long end) {
        forgetCache();
        Map.Entry<Long, Long> run;
        while ((run = runs.lowerEntry(end)) != null && run.getValue() > start) {
            long from = run.getKey();
            long to = run.getValue();
            runs.remove(from);
            if (from < start) {
                runs.put(from, start);
            }
            if (to > end) {
                runs.put(end, to);
            }
        }
    }

    /** Removes the lowest {@code pages} contiguous pages with that alignment and returns the first; -1 if there are none. */
    public long take(long pages) {
        for (Run run : runs()) {
            long at = (run.start + pages - 1) / pages * pages;
            if (at + pages <= run.end) {
                remove(at, at + pages);
                return at;
            }
        }
        return -1;
    }

    /** The set as it is, as an action that puts it back. */
    public Runnable checkpoint() {
        var saved = new TreeMap<>(runs);
        return () -> {
            runs = new TreeMap<>(saved);
            forgetCache();
        };
    }

    private void forgetCache() {
        cachedStart = 0;
        cachedEnd = 0;
    }
}
