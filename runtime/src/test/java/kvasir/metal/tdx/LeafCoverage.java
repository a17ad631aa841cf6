package kvasir.metal.tdx;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import kvasir.event.Event;
import kvasir.event.Events;

/** Which statuses each leaf has answered, of those it can: {@code kvs coverage seamcall} and {@code tdcall}. */
public final class LeafCoverage implements Events.Listener {
    private final Map<String, Set<Status>> seen = new TreeMap<>();

    /**
     * One leaf.
     *
     * @param name as in the ABI
     * @param provoked statuses that were answered, in the order of the ABI
     * @param missing statuses that are known and were not answered
     */
    public record Row(String name, List<Status> provoked, List<Status> missing) {}

    @Override
    public void on(long sequence, Event event) {
        if (event instanceof LeafDone done && !done.leaf().isEmpty()) {
            Status.of(done.out().rax())
                    .ifPresent(status -> seen.computeIfAbsent(done.leaf(), name -> EnumSet.noneOf(Status.class))
                            .add(status));
        }
    }

    /** All SEAMCALL leaves by number. */
    public List<Row> seamcalls() {
        var known = new LinkedHashMap<String, Set<Status>>();
        HostLeaves.ALL.forEach(leaf -> known.put(leaf.name(), leaf.statuses()));
        return rows(known);
    }

    /** All TDCALL leaves by number. */
    public List<Row> tdcalls() {
        var known = new LinkedHashMap<String, Set<Status>>();
        GuestLeaves.ALL.forEach(leaf -> known.put(leaf.name(), leaf.statuses()));
        return rows(known);
    }

    private List<Row> rows(Map<String, Set<Status>> known) {
        var rows = new ArrayList<Row>();
        known.forEach((name, statuses) -> {
            Set<Status> answered = seen.getOrDefault(name, Set.of());
            var sorted = new ArrayList<>(statuses);
            sorted.sort(null);
            rows.add(new Row(
                    name,
                    sorted.stream().filter(answered::contains).toList(),
                    sorted.stream().filter(status -> !answered.contains(status)).toList()));
        });
        return rows;
    }

    /** A listing for people: provoked / known for each leaf, the missing by name, the sum last. */
    public static String listing(List<Row> rows) {
        var text = new StringBuilder();
        int provoked = 0;
        int known = 0;
        for (Row row : rows) {
            int all = row.provoked().size() + row.missing().size();
            provoked += row.provoked().size();
            known += all;
            text.append("%-26s %2d / %2d".formatted(row.name(), row.provoked().size(), all));
            row.missing().forEach(status -> text.append("  ").append(status.abiName()));
            text.append('\n');
        }
        return text.append("%-26s %d / %d".formatted("all", provoked, known)).toString();
    }
}
