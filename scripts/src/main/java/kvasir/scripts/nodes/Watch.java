package kvasir.scripts.nodes;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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

    /** What the assertion is about: the last object seen that events can be about. */
    Optional<Described> subject() {
        for (int i = seen.size() - 1; i >= 0; i--) {
            if (seen.get(i).value() instanceof Described object
                    && !object.topic().equals(Topic.none())) {
                return Optional.of(object);
            }
        }
        return Optional.empty();
    }
}
