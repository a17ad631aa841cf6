package kvasir.scripts.binding;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Guest;
import kvasir.registry.Range;

/** Whether a value may be given for a parameter. */
public final class ArgumentCheck {
    private ArgumentCheck() {}

    /** Why {@code value} may not be given for {@code parameter} of the call named {@code label}; empty if it may. */
    public static Optional<Refusal> refusal(String label, Parameter parameter, Object value) {
        if (parameter.kind() == Kind.WORD && value instanceof String word) {
            return parameter.words().isEmpty() || parameter.words().contains(word)
                    ? Optional.empty()
                    : Optional.of(ArgumentPlan.wrongWord(parameter, word));
        }
        if (accepts(parameter.kind(), value)) {
            return Optional.empty();
        }
        Refusal refusal = Refusal.of(
                "E0302",
                label + " wants " + Values.article(ArgumentPlan.kindName(parameter.kind())) + " as its `"
                        + parameter.name() + "`",
                "this is " + Values.kind(value));
        if (parameter.kind() == Kind.RANGE && value instanceof Long start) {
            return Optional.of(refusal.help(
                    "a range has a start and an end: " + Values.size(start) + " .. " + Values.size(start + 4096)));
        }
        if (parameter.kind() == Kind.U64 && value instanceof Range range) {
            return Optional.of(refusal.help("its size is written " + Values.size(range.size())));
        }
        return Optional.of(refusal);
    }

    private static boolean accepts(Kind kind, Object value) {
        return switch (kind) {
            case U64 -> value instanceof Long;
            case RANGE -> value instanceof Range;
            case BOOL -> value instanceof Boolean;
            case STRING, WORD -> value instanceof String;
            case BYTES -> value instanceof Bytes || value instanceof Zeros;
            case GUEST -> value instanceof Guest;
            case HANDLE -> value instanceof Described;
            case LIST -> value instanceof List<?>;
            case RECORD -> value instanceof Map<?, ?>;
        };
    }
}
