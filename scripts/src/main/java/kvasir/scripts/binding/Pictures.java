package kvasir.scripts.binding;

import java.util.Map;
import java.util.stream.Collectors;
import kvasir.registry.Described;

/** What {@code show} prints of a value. */
public final class Pictures {
    /** Columns of a line of records: with the margin of a report within 80. */
    private static final int WIDTH = 70;

    private Pictures() {}

    /** The picture of an object that has one, else the value in one line; a list has a line for each item. */
    public static String of(Object value) {
        return switch (value) {
            case Described object -> object.picture().orElseGet(() -> Values.plain(object));
            case java.util.List<?> list
            when list.stream().anyMatch(item -> item instanceof Described || item instanceof Map) ->
                list.stream().map(Pictures::line).collect(Collectors.joining("\n"));
            case Map<?, ?> record -> line(record);
            default -> Values.plain(value);
        };
    }

    private static String line(Object item) {
        return item instanceof Map ? folded(Values.show(item)) : Values.show(item);
    }

    /** A record in as many lines as its fields need, the later ones indented. */
    private static String folded(String record) {
        var lines = new StringBuilder();
        int column = 0;
        for (String field : record.splitWithDelimiters(", ", 0)) {
            if (column > 0 && !field.equals(", ") && column + field.length() + 1 > WIDTH) {
                lines.setLength(lines.length() - 1);
                lines.append("\n    ");
                column = 4;
            }
            lines.append(field);
            column += field.length();
        }
        return lines.toString();
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
