package kvasir.scripts.binding;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.registry.Bytes;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
import kvasir.registry.State;
import org.jspecify.annotations.Nullable;

/** What stands behind the dot of a value that is no object of the machine. */
public final class ValueMembers {
    private ValueMembers() {}

    /** The part of {@code value} called {@code name}, if it has one. */
    public static Optional<Object> get(Object value, String name) {
        return Optional.ofNullable(
                switch (value) {
                    case Range range ->
                        switch (name) {
                            case "start" -> range.start();
                            case "end" -> range.end();
                            case "size" -> range.size();
                            default -> null;
                        };
                    case String text -> name.equals("length") ? (long) text.length() : null;
                    case Bytes bytes -> name.equals("length") ? (long) bytes.length() : null;
                    case List<?> list -> name.equals("length") ? (long) list.size() : null;
                    case Outcome outcome -> outcome(outcome, name);
                    case State state ->
                        name.equals("name") ? state.name() : state.fields().get(name);
                    case Map<?, ?> map -> map.get(name);
                    default -> null;
                });
    }

    private static @Nullable Object outcome(Outcome outcome, String name) {
        Object detail = outcome.details().get(name);
        if (detail != null) {
            return detail;
        }
        return switch (name) {
            case "name" -> outcome.name();
            case "reason" -> outcome instanceof Outcome.Failed failed ? failed.reason() : "";
            default -> null;
        };
    }

    /** The names that {@link #get} answers for {@code value}. */
    public static List<String> names(Object value) {
        return switch (value) {
            case Range range -> List.of("start", "end", "size");
            case String text -> List.of("length");
            case Bytes bytes -> List.of("length");
            case List<?> list -> List.of("length");
            case Outcome outcome -> with(outcome.details().keySet(), "name", "reason");
            case State state -> with(state.fields().keySet(), "name");
            case Map<?, ?> map -> map.keySet().stream().map(Object::toString).toList();
            default -> List.of();
        };
    }

    private static List<String> with(Iterable<String> first, String... more) {
        var names = new ArrayList<String>();
        first.forEach(names::add);
        names.addAll(List.of(more));
        return names;
    }

    /** That {@code value} has no part called {@code name}. */
    public static Refusal unknown(Object value, String name) {
        return Refusal.of("E0301", Values.kind(value) + " has no `" + name + "`", "this is " + Values.show(value))
                .help(Spelling.help(name, names(value)));
    }
}
