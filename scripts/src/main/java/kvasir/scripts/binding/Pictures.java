package kvasir.scripts.binding;

import java.util.Map;
import java.util.stream.Collectors;
import kvasir.registry.Described;

/** What {@code show} prints of a value. */
public final class Pictures {
    private Pictures() {}

    /** The picture of an object that has one, else the value in one line; a list has a line for each item. */
    public static String of(Object value) {
        return switch (value) {
            case Described object -> object.picture().orElseGet(() -> Values.plain(object));
            case java.util.List<?> list
            when list.stream().anyMatch(item -> item instanceof Described || item instanceof Map) ->
                list.stream().map(Values::show).collect(Collectors.joining("\n"));
            default -> Values.plain(value);
        };
    }

    /** {@code picture} without common indentation, blanks at the ends of lines, and empty lines at its ends. */
    public static String tidy(String picture) {
        return picture.stripIndent()
                .lines()
                .map(String::stripTrailing)
                .collect(Collectors.joining("\n"))
                .replaceAll("^\\n+|\\n+$", "");
    }
}
