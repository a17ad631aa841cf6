package kvasir.kvm.mmu;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.event.Topic;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.registry.Range;
import kvasir.registry.State;

/** The entries that cover a range of addresses. Its state is theirs if they all have the same one. */
public final class TdpRange implements Described {
    /** What scripts may do with it. */
    public static final Api<TdpRange> API = Api.of(
                    "spte_range", TdpRange.class, "The lowest entries that cover a range, in order.")
            .property("entries", "list of spte", "The entries.", "plain.ept[0 .. 2M].entries", r -> r.entries)
            .property("count", "u64", "How many.", "plain.ept[0 .. 2M].count", r -> (long) r.entries.size())
            .property(
                    "leaves",
                    "list of spte",
                    "Those that map memory.",
                    "plain.ept[0 .. 2M].leaves",
                    r -> r.entries.stream().filter(TdpEntry::leaf).toList())
            .property(
                    "mapped",
                    "u64",
                    "Bytes of the range that are mapped.",
                    "plain.ept[0 .. 2M].mapped",
                    r -> r.mapped())
            .build();

    private final String label;
    private final String space;
    private final Range range;
    private final List<TdpEntry> entries;

    TdpRange(String label, String space, Range range, List<TdpEntry> entries) {
        this.label = label;
        this.space = space;
        this.range = range;
        this.entries = List.copyOf(entries);
    }

    private long mapped() {
        long bytes = 0;
        for (TdpEntry entry : entries) {
            if (entry.leaf()) {
                long start = Math.max(range.start(), entry.gfn << 12);
                long end = Math.min(range.end(), (entry.gfn << 12) + Level.bytes(entry.level));
                bytes += end - start;
            }
        }
        return bytes;
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return label;
    }

    @Override
    public Topic topic() {
        return new Topic(space, range.start(), range.end());
    }

    @Override
    public Optional<State> state() {
        State first = null;
        for (TdpEntry entry : entries) {
            State state = entry.state().orElseThrow();
            if (first == null) {
                first = state;
            } else if (!first.name().equals(state.name()) || !first.arguments().equals(state.arguments())) {
                return Optional.of(new State("mixed", List.of(), Map.of("mapped", mapped())));
            }
        }
        return first == null
                ? Optional.of(new State("empty", List.of(), Map.of()))
                : Optional.of(new State(first.name(), first.arguments(), Map.of("mapped", mapped())));
    }

    @Override
    public Optional<String> picture() {
        var text = new StringBuilder();
        for (TdpEntry entry : entries) {
            text.append(text.isEmpty() ? "" : "\n")
                    .append(entry.described(
                            "0x%08x  %s  0x%016x".formatted(entry.gfn << 12, Level.name(entry.level), entry.raw)));
        }
        return Optional.of(text.toString());
    }
}
