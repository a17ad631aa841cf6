package kvasir.scripts.binding;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;

/**
 * Which argument of one call goes to which parameter, decided from the names alone.
 *
 * @param slots in the order of the call
 * @param used how many terms the call takes; fewer than there are only if another operation follows on the line
 */
public record ArgumentPlan(List<Slot> slots, int used) {
    /**
     * One argument as written.
     *
     * @param word the text of a bare name; empty for any other expression
     * @param name the name in {@code name: value}; empty without
     */
    public record Term(String word, String name) {}

    /** Where the value of a parameter comes from. */
    public sealed interface Slot {
        /** The parameter it is for. */
        Parameter parameter();

        /** The value of the expression at position {@code term}. */
        record Evaluated(Parameter parameter, int term) implements Slot {}

        /** {@code value}, written as a word at position {@code term}. */
        record Fixed(Parameter parameter, int term, Object value) implements Slot {}
    }

    /** A plan, or why there is none. */
    public sealed interface Result {
        /** There is one. */
        record Planned(ArgumentPlan plan) implements Result {}

        /**
         * There is none.
         *
         * @param term position of the argument at fault; -1 if it is the call as a whole
         */
        record Refused(Refusal refusal, int term) implements Result {}
    }

    /**
     * Matches {@code terms} with the parameters of {@code operation}.
     *
     * @param label how the call is named in messages: {@code vcpu0.map_memory}
     * @param variable whether a bare name is a variable in scope
     * @param nextOperations bare names that begin another operation on the same line
     */
    public static Result of(
            Api.Operation<?> operation,
            String label,
            List<Term> terms,
            Predicate<String> variable,
            List<String> nextOperations) {
        return new Planner(operation, label, terms, variable, nextOperations).plan();
    }

    /** How an operation is written: {@code map_memory range [source address]}. */
    public static String signature(Api.Operation<?> operation) {
        var text = new StringBuilder(operation.name());
        for (Parameter parameter : operation.parameters()) {
            String shape = shape(parameter);
            text.append(' ').append(parameter.optional() ? "[" + shape + "]" : shape);
        }
        return text.toString();
    }

    private static String shape(Parameter parameter) {
        String value = parameter.kind() == Kind.WORD && !parameter.words().isEmpty()
                ? String.join("|", parameter.words())
                : "<" + parameter.name() + ">";
        if (!parameter.keyword()) {
            return value;
        }
        if (parameter.kind() == Kind.BOOL) {
            return parameter.name();
        }
        return parameter.name() + " " + (value.startsWith("<") ? "<" + kindName(parameter.kind()) + ">" : value);
    }

    /** The kind as people call it: {@code integer}, {@code range}. */
    public static String kindName(Kind kind) {
        return switch (kind) {
            case U64 -> "integer";
            case RANGE -> "range";
            case BOOL -> "boolean";
            case STRING -> "string";
            case BYTES -> "byte string";
            case WORD -> "word";
            case GUEST -> "guest program";
            case HANDLE -> "object";
            case LIST -> "list";
            case RECORD -> "record";
        };
    }

    private static final class Planner {
        private final Api.Operation<?> operation;
        private final String label;
        private final List<Term> terms;
        private final Predicate<String> variable;
        private final List<String> nextOperations;
        private final Map<String, Slot> assigned = new LinkedHashMap<>();
        private int at;

        Planner(
                Api.Operation<?> operation,
                String label,
                List<Term> terms,
                Predicate<String> variable,
                List<String> nextOperations) {
            this.operation = operation;
            this.label = label;
            this.terms = terms;
            this.variable = variable;
            this.nextOperations = nextOperations;
        }

        Result plan() {
            while (at < terms.size()) {
                Term term = terms.get(at);
                Optional<Result> refused;
                if (!term.name().isEmpty()) {
                    refused = named(term.name(), at, at);
                } else if (keyword(term.word()).isPresent()) {
                    refused = keywordHere(keyword(term.word()).get());
                } else {
                    Optional<Parameter> position = nextPosition(term);
                    if (position.isEmpty() && nextOperations.contains(term.word())) {
                        break;
                    }
                    refused = position.isPresent() ? assign(position.get(), at) : Optional.of(tooMany(term));
                }
                if (refused.isPresent()) {
                    return refused.get();
                }
                at++;
            }
            for (Parameter parameter : operation.parameters()) {
                if (!parameter.optional() && !assigned.containsKey(parameter.name())) {
                    return refuse(
                            -1,
                            Refusal.of(
                                            "E0304",
                                            label + " needs " + Values.article(kindName(parameter.kind())) + ": "
                                                    + parameter.doc(),
                                            "`" + parameter.name() + "` is missing")
                                    .help("it is written " + signature(operation)));
                }
            }
            return new Result.Planned(new ArgumentPlan(List.copyOf(assigned.values()), at));
        }

        private Optional<Parameter> keyword(String word) {
            if (word.isEmpty()) {
                return Optional.empty();
            }
            return operation.parameters().stream()
                    .filter(p -> p.keyword() && p.name().equals(word))
                    .findFirst();
        }

        private Optional<Result> keywordHere(Parameter parameter) {
            if (parameter.kind() == Kind.BOOL) {
                return put(new Slot.Fixed(parameter, at, true));
            }
            if (at + 1 >= terms.size()) {
                return Optional.of(refuse(
                        at,
                        Refusal.of(
                                        "E0304",
                                        "`" + parameter.name() + "` of " + label + " needs a value",
                                        Values.article(kindName(parameter.kind())) + " should follow")
                                .help("it is written " + signature(operation))));
            }
            at++;
            return assign(parameter, at);
        }

        private Optional<Result> named(String name, int term, int value) {
            for (Parameter parameter : operation.parameters()) {
                if (parameter.name().equals(name)) {
                    return assign(parameter, value);
                }
            }
            var names = operation.parameters().stream().map(Parameter::name).toList();
            return Optional.of(refuse(
                    term,
                    Refusal.of("E0303", label + " has no parameter `" + name + "`", "unknown")
                            .help(Spelling.help(name, names))));
        }

        /** The first free positional parameter that {@code term} may be for. */
        private Optional<Parameter> nextPosition(Term term) {
            for (Parameter parameter : operation.parameters()) {
                if (parameter.keyword() || assigned.containsKey(parameter.name())) {
                    continue;
                }
                boolean plainWord = !term.word().isEmpty() && !variable.test(term.word());
                boolean fits = parameter.kind() == Kind.WORD
                        ? !plainWord
                                || parameter.words().isEmpty()
                                || parameter.words().contains(term.word())
                        : !plainWord || !nextOperations.contains(term.word());
                if (fits || !parameter.optional()) {
                    return Optional.of(parameter);
                }
            }
            return Optional.empty();
        }

        private Optional<Result> assign(Parameter parameter, int term) {
            String word = terms.get(term).word();
            if (parameter.kind() != Kind.WORD || word.isEmpty()) {
                return put(new Slot.Evaluated(parameter, term));
            }
            if (parameter.words().isEmpty() || parameter.words().contains(word)) {
                return put(new Slot.Fixed(parameter, term, word));
            }
            if (variable.test(word)) {
                return put(new Slot.Evaluated(parameter, term));
            }
            return Optional.of(refuse(term, wrongWord(parameter, word)));
        }

        private Optional<Result> put(Slot slot) {
            if (assigned.putIfAbsent(slot.parameter().name(), slot) == null) {
                return Optional.empty();
            }
            return Optional.of(refuse(
                    at,
                    Refusal.of("E0303", "`" + slot.parameter().name() + "` of " + label + " is given twice", "again")));
        }

        private Result tooMany(Term term) {
            var words = new ArrayList<>(nextOperations);
            operation.parameters().stream().filter(Parameter::keyword).forEach(p -> words.add(p.name()));
            String reason = term.word().isEmpty() || words.isEmpty() ? "one too many" : "not a word of it";
            Refusal refusal = Refusal.of("E0303", label + " does not take this", reason);
            Optional<String> near = Spelling.nearest(term.word(), words);
            return refuse(
                    at,
                    near.isPresent() && !term.word().isEmpty()
                            ? refusal.help("did you mean `" + near.get() + "`?")
                            : refusal.help("it is written " + signature(operation)));
        }

        private static Result refuse(int term, Refusal refusal) {
            return new Result.Refused(refusal, term);
        }
    }

    /** That {@code word} is none of the words of {@code parameter}. */
    static Refusal wrongWord(Parameter parameter, String word) {
        return Refusal.of(
                        "E0305",
                        "`" + word + "` is no " + parameter.name(),
                        "should be one of " + String.join(", ", parameter.words()))
                .help(Spelling.nearest(word, parameter.words()).map(near -> "did you mean `" + near + "`?"));
    }
}
