package kvasir.grammar;

import java.util.Optional;

/**
 * Something to tell about a piece of a script.
 *
 * @param code {@code E0101}; {@code kvs explain} knows it
 * @param span what it is about
 * @param message the fault in one line, without a full stop
 * @param reason what stands beside the caret: why this place is at fault
 * @param help the way out: the nearest legal spelling, or what to write
 */
public record Diagnostic(String code, Span span, String message, String reason, Optional<String> help) {
    /** An error without help. */
    public static Diagnostic of(String code, Span span, String message, String reason) {
        return new Diagnostic(code, span, message, reason, Optional.empty());
    }

    /** This diagnostic with {@code help}. */
    public Diagnostic help(String help) {
        return new Diagnostic(code, span, message, reason, Optional.of(help));
    }
}
