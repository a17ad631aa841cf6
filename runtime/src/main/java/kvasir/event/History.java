package kvasir.event;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The last {@code capacity} events, oldest forgotten first: the memory behind {@code why(x)}. */
public final class History implements Events.Listener {
    private final Entry[] ring;
    private long count;

    /** An event with its position in the stream. */
    public record Entry(long sequence, Event event) {}

    /** @param capacity number of events kept, at least 1 */
    public History(int capacity) {
        ring = new Entry[capacity];
    }

    @Override
    public void on(long sequence, Event event) {
        ring[(int) (count++ % ring.length)] = new Entry(sequence, event);
    }

    /** The newest event whose topic overlaps {@code topic}. */
    public Optional<Entry> last(Topic topic) {
        for (long i = count - 1; i >= Math.max(0, count - ring.length); i--) {
            Entry entry = ring[(int) (i % ring.length)];
            if (entry.event().topic().overlaps(topic)) {
                return Optional.of(entry);
            }
        }
        return Optional.empty();
    }

    /** All events still remembered, oldest first. */
    public List<Entry> entries() {
        var list = new ArrayList<Entry>();
        for (long i = Math.max(0, count - ring.length); i < count; i++) {
            list.add(ring[(int) (i % ring.length)]);
        }
        return list;
    }
}
