package kvasir.scripts.binding;

import java.util.Optional;

/**
 * Why something will not do.
 *
 * @param message the fault in one line, without a full stop
 * @param reason what stands beside the caret
 * @param help the way out
 */
public record Refusal(String code, String message, String reason, Optional<String> help) {
    /** A refusal without help. */
    public static Refusal of(String code, String message, String reason) {
        return new Refusal(code, message, reason, Optional.empty());
    }

    /** This refusal with {@code text} as its help. */
    public Refusal help(String text) {
        return new Refusal(code, message, reason, Optional.of(text));
    }

    /** This refusal with {@code text} as its help, if there is one. */
    public Refusal help(Optional<String> text) {
        return new Refusal(code, message, reason, text);
    }
}
