package kvasir.grammar;

import java.util.List;

/**
 * What became of a source file.
 *
 * @param script always a whole tree; where an error is, it holds a {@code Malformed} node or nothing
 * @param diagnostics errors in source order; empty if the script is well formed
 */
public record Parsed(Script script, List<Diagnostic> diagnostics) {
    public Parsed {
        diagnostics = List.copyOf(diagnostics);
    }

    /** Whether there is no error. */
    public boolean ok() {
        return diagnostics.isEmpty();
    }
}
