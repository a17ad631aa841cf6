package kvasir.scripts.explore;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/** Which lock was taken while which was held, over all runs; a cycle is an inversion whether or not a run deadlocked. */
public final class LockOrder {
    private final SortedMap<String, SortedSet<String>> inner = new TreeMap<>();

    /** A lock was taken while another was held. */
    public record Taken(String inner, String outer) {}

    /** The order that some runs have shown. */
    public static LockOrder of(Iterable<Taken> all) {
        var order = new LockOrder();
        all.forEach(each -> order.add(each.outer, each.inner));
        return order;
    }

    /** All that was seen, sorted by the outer lock, then by the inner. */
    public List<Taken> all() {
        return inner.entrySet().stream()
                .flatMap(each -> each.getValue().stream().map(taken -> new Taken(taken, each.getKey())))
                .toList();
    }

    void add(String outer, String taken) {
        if (!outer.equals(taken)) {
            inner.computeIfAbsent(outer, name -> new TreeSet<>()).add(taken);
        }
    }

    /** The locks of one cycle, each taken inside the one before it; empty if there is none. */
    public Optional<List<String>> inversion() {
        var finished = new TreeSet<String>();
        for (String lock : inner.keySet()) {
            Optional<List<String>> cycle = search(lock, new ArrayList<>(), finished);
            if (cycle.isPresent()) {
                return cycle;
            }
        }
        return Optional.empty();
    }

    private Optional<List<String>> search(String lock, List<String> path, SortedSet<String> finished) {
        int start = path.indexOf(lock);
        if (start >= 0) {
            return Optional.of(List.copyOf(path.subList(start, path.size())));
        }
        if (finished.contains(lock)) {
            return Optional.empty();
        }
        path.add(lock);
        for (String next : inner.getOrDefault(lock, new TreeSet<>())) {
            Optional<List<String>> cycle = search(next, path, finished);
            if (cycle.isPresent()) {
                return cycle;
            }
        }
        path.removeLast();
        finished.add(lock);
        return Optional.empty();
    }
}
