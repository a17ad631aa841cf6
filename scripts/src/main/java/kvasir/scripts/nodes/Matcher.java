package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.grammar.Span;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
import kvasir.registry.State;
import kvasir.scripts.binding.Values;

/** A pattern: what stands behind {@code is} and {@code ->}. */
public abstract sealed class Matcher extends KvsNode {
    Matcher(Span span) {
        super(span);
    }

    /** Why {@code value} does not match, in a few words; empty if it does. */
    abstract Optional<String> mismatch(VirtualFrame frame, Object value);

    /** The pattern with the values of its variables. */
    abstract String describe(VirtualFrame frame);

    /** {@code _}. */
    public static final class Any extends Matcher {
        /** A pattern that everything matches. */
        public Any(Span span) {
            super(span);
        }

        @Override
        Optional<String> mismatch(VirtualFrame frame, Object value) {
            return Optional.empty();
        }

        @Override
        String describe(VirtualFrame frame) {
            return "_";
        }
    }

    /** {@code 4K}, {@code 0 .. 2M}, a variable: equal to the value, or within the range. */
    public static final class Equal extends Matcher {
        @SuppressWarnings("FieldMayBeFinal")
        @Child
        private ExpressionNode expected;

        /** A pattern that the value of {@code expected} matches. */
        public Equal(Span span, ExpressionNode expected) {
            super(span);
            this.expected = expected;
        }

        @Override
        Optional<String> mismatch(VirtualFrame frame, Object value) {
            Object wanted = expected.execute(frame);
            boolean matches = Values.same(value, wanted)
                    || (wanted instanceof Range range && value instanceof Long at && range.contains(at))
                    || (wanted instanceof State state
                            && value instanceof Described object
                            && object.state().equals(Optional.of(state)))
                    || (wanted instanceof String word
                            && value instanceof Outcome outcome
                            && outcome.name().equals(word));
            return matches ? Optional.empty() : Optional.of(Values.plain(value) + " is not " + Values.show(wanted));
        }

        @Override
        String describe(VirtualFrame frame) {
            Object wanted = expected.execute(frame);
            return wanted instanceof Long size ? Values.size(size) : Values.show(wanted);
        }
    }

    /** {@code ok or EAGAIN}. */
    public static final class Either extends Matcher {
        @Children
        private final Matcher[] alternatives;

        /** A pattern that matches if one of {@code alternatives} does. */
        public Either(Span span, List<Matcher> alternatives) {
            super(span);
            this.alternatives = alternatives.toArray(Matcher[]::new);
        }

        @Override
        Optional<String> mismatch(VirtualFrame frame, Object value) {
            for (Matcher alternative : alternatives) {
                if (alternative.mismatch(frame, value).isEmpty()) {
                    return Optional.empty();
                }
            }
            return Optional.of(Values.plain(value) + " is none of them");
        }

        @Override
        String describe(VirtualFrame frame) {
            var parts = new java.util.ArrayList<String>();
            for (Matcher alternative : alternatives) {
                parts.add(alternative.describe(frame));
            }
            return String.join(" or ", parts);
        }
    }

    /** {@code FREE}, {@code leaf(4K, rwx)}, {@code ok left 0}. */
    public static final class Named extends Matcher {
        private final String name;
        private final List<String> fieldNames;

        @Children
        private final Matcher[] positional;

        @Children
        private final Matcher[] fields;

        /**
         * @param positional what stands in the parentheses without a name
         * @param fieldNames one for each of {@code fields}
         */
        public Named(Span span, String name, List<Matcher> positional, List<String> fieldNames, List<Matcher> fields) {
            super(span);
            this.name = name;
            this.positional = positional.toArray(Matcher[]::new);
            this.fieldNames = List.copyOf(fieldNames);
            this.fields = fields.toArray(Matcher[]::new);
        }

        @Override
        Optional<String> mismatch(VirtualFrame frame, Object value) {
            return switch (value) {
                case Outcome outcome -> {
                    boolean right = outcome.name().equals(name)
                            || (name.equals("error") && outcome instanceof Outcome.Failed)
                            || (name.equals("exit") && outcome instanceof Outcome.Exit);
                    yield right ? parts(frame, List.of(), outcome.details()) : not(outcome.name());
                }
                case State state ->
                    state.name().equals(name) ? parts(frame, state.arguments(), state.fields()) : not(state.name());
                case Described object ->
                    object.state()
                            .map(state -> mismatch(frame, state))
                            .orElseGet(() -> Optional.of(
                                    Values.article(object.api().name()) + " has no state to compare with " + name));
                case List<?> list -> {
                    for (int i = 0; i < list.size(); i++) {
                        Optional<String> why = mismatch(frame, list.get(i));
                        if (why.isPresent()) {
                            yield Optional.of("item " + i
                                    + (list.get(i) instanceof Described item ? ", " + item.label() : "") + ": "
                                    + why.get());
                        }
                    }
                    yield list.isEmpty() ? Optional.of("the list is empty") : Optional.empty();
                }
                case String word -> word.equals(name) ? parts(frame, List.of(), Map.of()) : not(word);
                default -> Optional.of(Values.kind(value) + " is never " + name);
            };
        }

        private Optional<String> not(String other) {
            return Optional.of(other + " is not " + name);
        }

        private Optional<String> parts(VirtualFrame frame, List<?> arguments, Map<String, ?> details) {
            for (int i = 0; i < positional.length; i++) {
                if (i >= arguments.size()) {
                    return Optional.of(name + " has only " + arguments.size() + " in its parentheses");
                }
                Optional<String> why = positional[i].mismatch(frame, arguments.get(i));
                if (why.isPresent()) {
                    return why;
                }
            }
            for (int i = 0; i < fields.length; i++) {
                Object detail = details.get(fieldNames.get(i));
                if (detail == null) {
                    return Optional.of(
                            details.isEmpty()
                                    ? name + " carries no `" + fieldNames.get(i) + "`"
                                    : name + " carries no `" + fieldNames.get(i) + "`, but "
                                            + String.join(", ", details.keySet()));
                }
                Optional<String> why = fields[i].mismatch(frame, detail);
                if (why.isPresent()) {
                    return Optional.of(fieldNames.get(i) + ": " + why.get());
                }
            }
            return Optional.empty();
        }

        @Override
        String describe(VirtualFrame frame) {
            var text = new StringBuilder(name);
            if (positional.length > 0) {
                var parts = new java.util.ArrayList<String>();
                for (Matcher part : positional) {
                    parts.add(part.describe(frame));
                }
                text.append('(').append(String.join(", ", parts)).append(')');
            }
            for (int i = 0; i < fields.length; i++) {
                text.append(' ').append(fieldNames.get(i)).append(' ').append(fields[i].describe(frame));
            }
            return text.toString();
        }
    }
}
