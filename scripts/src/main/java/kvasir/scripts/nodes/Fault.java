package kvasir.scripts.nodes;

import java.util.List;
import kvasir.grammar.Diagnostic;
import kvasir.scripts.Failure;

/**
 * What ended a test or a statement.
 *
 * @param diagnostic where and why
 * @param notes further lines of the message, each {@code label: text}; text may have several lines
 */
public record Fault(Failure.Kind kind, Diagnostic diagnostic, List<String> notes) {
    public Fault {
        notes = List.copyOf(notes);
    }
}
