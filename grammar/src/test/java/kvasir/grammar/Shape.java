package kvasir.grammar;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The tree as text without spans, so that trees of different layout can be compared. */
final class Shape {
    private Shape() {}

    static String of(Object value) {
        return switch (value) {
            case List<?> list ->
                "[" + String.join(", ", list.stream().map(Shape::of).toList()) + "]";
            case Optional<?> optional -> optional.map(Shape::of).orElse("-");
            case Identifier identifier -> identifier.text();
            case SemanticsName name -> name.text();
            case Expression.Int integer -> integer.text();
            case Expression.Name name -> name.name();
            case Assembly.Value.Constant constant -> constant.text();
            case Assembly.Value.Symbol symbol -> symbol.name();
            case Record record -> ofRecord(record);
            case String text -> "'" + text + "'";
            default -> value.toString();
        };
    }

    private static String ofRecord(Record record) {
        List<String> parts = new ArrayList<>();
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            if (component.getType() != Span.class) {
                try {
                    component.getAccessor().setAccessible(true);
                    parts.add(of(component.getAccessor().invoke(record)));
                } catch (ReflectiveOperationException e) {
                    throw new IllegalStateException(e);
                }
            }
        }
        return record.getClass().getSimpleName() + "(" + String.join(", ", parts) + ")";
    }
}
