package kvasir.grammar;

import java.util.List;

/**
 * A whole file, or one input of the REPL.
 *
 * @param statements in source order
 */
public record Script(Span span, List<Statement> statements) implements Node {
    public Script {
        statements = List.copyOf(statements);
    }
}
