package kvasir.scripts.nodes;

import java.util.ArrayList;
import java.util.List;
import kvasir.event.Topic;
import kvasir.registry.Described;

/** The values seen while an assertion was evaluated. */
final class Watch {
    private final List<Seen> seen = new ArrayList<>();
    private final List<Compared> compared = new ArrayList<>();

    /** A sub-expression and its value. */
    record Seen(String text, Object value) {}

    /**
     * A comparison and its sides.
     *
     * @param operands what the sides are called
     * @param left the value, rendered
     * @param right what it was compared with, rendered
     * @param detail what exactly differs; may be empty
     */
    record Compared(String text, List<String> operands, String left, String right, boolean result, String detail) {}

    void see(String text, Object value) {
        seen.add(new Seen(text, value));
    }

    void compare(Compared comparison) {
        compared.add(comparison);
    }

    List<Seen> seen() {
        return seen;
    }

    List<Compared> compared() {
        return compared;
    }

    /** The objects seen that events can be about, the last one first: an entry comes before its table and its VM. */
    List<Described> subjects() {
        return seen.reversed().stream()
                .map(Seen::value)
                .filter(Described.class::isInstance)
                .map(Described.class::cast)
                .filter(object -> !object.topic().equals(Topic.none()))
                .distinct()
                .toList();
    }
}
