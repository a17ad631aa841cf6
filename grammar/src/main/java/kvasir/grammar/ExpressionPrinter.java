package kvasir.grammar;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Writes expressions, patterns and assembly operands in the canonical layout.
 *
 * @param original whether spans are those of a text, whose spelling of strings is then kept
 */
record ExpressionPrinter(boolean original) {
    /** A list or record longer than this gets a line for each item. */
    private static final int WIDTH = 100;

    static final String STEP = "    ";

    /** {@code expression} as it stands in a statement whose lines begin with {@code indent}. */
    String print(Expression expression, String indent) {
        return switch (expression) {
            case Expression.Int it -> it.text();
            case Expression.Bool it -> Boolean.toString(it.value());
            case Expression.Text it -> it.block() ? block(it.value(), indent) : text(it.span(), it.value());
            case Expression.Bytes it -> original ? it.span().text() : it.tag() + "\"" + it.hex() + "\"";
            case Expression.Range it -> print(it.start(), indent) + " .. " + print(it.end(), indent);
            case Expression.Items it -> items("[", "]", it.items(), (each, inner) -> print(each, inner), indent);
            case Expression.Fields it ->
                it.fields().isEmpty()
                        ? "{}"
                        : items("{ ", " }", it.fields(), (each, inner) -> field(each, inner), indent);
            case Expression.Name it -> it.name();
            case Expression.Member it ->
                print(it.object(), indent) + "." + it.name().text();
            case Expression.Index it -> print(it.object(), indent) + "[" + print(it.key(), indent) + "]";
            case Expression.Call it ->
                print(it.callee(), indent) + joined(it.arguments(), ", ", each -> argument(each, indent), "(", ")");
            case Expression.Invoke it -> print(it.callee(), indent) + arguments(it.arguments(), indent);
            case Expression.Unary it ->
                it.operator().symbol() + (it.operator() == UnaryOperator.NOT ? " " : "") + print(it.operand(), indent);
            case Expression.Binary it ->
                print(it.left(), indent) + " " + it.operator().symbol() + " " + print(it.right(), indent);
            case Expression.Is it ->
                print(it.subject(), indent) + (it.negated() ? " is not " : " is ") + print(it.pattern(), false, indent);
            case Expression.Shows it -> print(it.subject(), indent) + " shows " + print(it.picture(), indent);
            case Expression.Parenthesized it -> "(" + print(it.inner(), indent) + ")";
            case Expression.Malformed it -> it.span().text();
        };
    }

    /**
     * {@code arguments} with a blank before each. Where the text had more blanks before a word, two are kept: so
     * people set apart the operations of a declaration on one line.
     */
    String arguments(List<Expression> arguments, String indent) {
        StringBuilder text = new StringBuilder();
        Optional<Expression> before = Optional.empty();
        for (Expression argument : arguments) {
            boolean apart = original
                    && argument instanceof Expression.Name
                    && before.map(each -> argument.span().start() - each.span().end() > 1
                                    && each.span().line() == argument.span().line())
                            .orElse(false);
            text.append(apart ? "  " : " ").append(print(argument, indent));
            before = Optional.of(argument);
        }
        return text.toString();
    }

    private String argument(Expression.Argument argument, String indent) {
        return argument.name().map(name -> name.text() + ": ").orElse("") + print(argument.value(), indent);
    }

    private String field(Expression.Field field, String indent) {
        String name = field.name().text();
        String key = name.matches("[A-Za-z_][A-Za-z0-9_]*") ? name : Quoted.write(name);
        return key + ": " + print(field.value(), indent);
    }

    private interface Writer<T> {
        String write(T item, String indent);
    }

    private static <T> String items(String open, String close, List<T> items, Writer<T> writer, String indent) {
        String flat = joined(items, ", ", each -> writer.write(each, indent), open, close);
        if (flat.length() <= WIDTH && !flat.contains("\n")) {
            return flat;
        }
        String inner = indent + STEP;
        return joined(
                items,
                ",\n",
                each -> inner + writer.write(each, inner),
                open.strip() + "\n",
                "\n" + indent + close.strip());
    }

    private static <T> String joined(
            List<T> items, String separator, Function<T, String> writer, String open, String close) {
        return items.stream().map(writer).collect(Collectors.joining(separator, open, close));
    }

    private String text(Span span, String value) {
        return original ? span.text() : Quoted.write(value);
    }

    private static String block(String value, String indent) {
        StringBuilder text = new StringBuilder("\"\"\"\n");
        for (String line : value.split("\n", -1)) {
            text.append(line.isEmpty() ? "" : indent + STEP + line).append('\n');
        }
        return text.append(indent).append("\"\"\"").toString();
    }

    /** @param open whether alternatives may stand without parentheses, as they may behind an arrow */
    String print(Pattern pattern, boolean open, String indent) {
        return switch (pattern) {
            case Pattern.Any it -> "_";
            case Pattern.Value it -> print(it.expression(), indent);
            case Pattern.Named it -> named(it, indent);
            case Pattern.Either it ->
                joined(it.alternatives(), " or ", each -> print(each, false, indent), open ? "" : "(", open ? "" : ")");
        };
    }

    /** Fields stand behind the name if nothing is in parentheses, else in them. */
    private String named(Pattern.Named named, String indent) {
        StringBuilder text = new StringBuilder(named.name().text());
        List<Pattern.Field> within = fieldsInParentheses(named);
        if (!named.positional().isEmpty() || !within.isEmpty()) {
            String separator = named.positional().isEmpty() || within.isEmpty() ? "" : ", ";
            text.append(joined(named.positional(), ", ", each -> print(each, false, indent), "(", separator))
                    .append(joined(
                            within,
                            ", ",
                            each -> each.name().text() + ": " + print(each.pattern(), false, indent),
                            "",
                            ")"));
        }
        for (Pattern.Field field :
                named.fields().subList(within.size(), named.fields().size())) {
            text.append(' ').append(field.name().text()).append(' ').append(print(field.pattern(), false, indent));
        }
        return text.toString();
    }

    private List<Pattern.Field> fieldsInParentheses(Pattern.Named named) {
        if (!original) {
            return named.positional().isEmpty() ? List.of() : named.fields();
        }
        int count = 0;
        int close = closingParenthesis(named);
        while (count < named.fields().size() && named.fields().get(count).span().start() < close) {
            count++;
        }
        return named.fields().subList(0, count);
    }

    /** Offset behind which the fields of a pattern stand outside its parentheses. */
    private static int closingParenthesis(Pattern.Named named) {
        String text = named.span().source().text();
        int open = named.name().span().end();
        if (open >= text.length() || text.charAt(open) != '(') {
            return open;
        }
        int depth = 0;
        for (int i = open; i < named.span().end(); i++) {
            depth += text.charAt(i) == '(' ? 1 : text.charAt(i) == ')' ? -1 : 0;
            if (depth == 0) {
                return i;
            }
        }
        return named.span().end();
    }

    String print(Assembly.Operand operand) {
        String size = operand.size().map(each -> lower(each) + " ").orElse("");
        String before = operand.distance().map(each -> lower(each) + " ").orElse("") + size;
        return before
                + switch (operand) {
                    case Assembly.Operand.Plain it -> print(it.value());
                    case Assembly.Operand.FarPointer it -> print(it.selector()) + ":" + print(it.offset());
                    case Assembly.Operand.Memory it ->
                        it.segment().map(each -> each.text() + ":").orElse("")
                                + "["
                                + (it.relative() ? "rel " : "")
                                + print(it.address())
                                + "]";
                };
    }

    private static String lower(Enum<?> word) {
        return word.name().toLowerCase(Locale.ROOT);
    }

    String print(Assembly.Value value) {
        return switch (value) {
            case Assembly.Value.Constant it -> it.text();
            case Assembly.Value.Text it -> text(it.span(), it.value());
            case Assembly.Value.Symbol it -> it.name();
            case Assembly.Value.Here it -> "$";
            case Assembly.Value.Start it -> "$$";
            case Assembly.Value.Unary it -> it.operator().symbol() + print(it.operand());
            case Assembly.Value.Binary it -> {
                String gap = it.operator() == BinaryOperator.MULTIPLY ? "" : " ";
                yield print(it.left()) + gap + it.operator().symbol() + gap + print(it.right());
            }
            case Assembly.Value.Parenthesized it -> "(" + print(it.inner()) + ")";
        };
    }
}
