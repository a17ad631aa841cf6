package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.List;
import java.util.Optional;
import kvasir.grammar.Span;
import kvasir.registry.Outcome;
import kvasir.scripts.Failure;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Values;

/** Something that has a value. */
public abstract class ExpressionNode extends KvsNode {
    ExpressionNode(Span span) {
        super(span);
    }

    /** Its value, one of those that {@code kvasir.registry} lists. */
    public abstract Object execute(VirtualFrame frame);

    /** Its value, which must be a boolean. */
    final boolean executeBoolean(VirtualFrame frame) {
        Object value = execute(frame);
        if (value instanceof Boolean truth) {
            return truth;
        }
        throw refused(Refusal.of("E0401", "a condition must be true or false", "this is " + Values.kind(value)));
    }

    /** Its value, which must be an integer. */
    final long executeInteger(VirtualFrame frame) {
        Object value = execute(frame);
        if (value instanceof Long integer) {
            return integer;
        }
        if (value instanceof Outcome.Failed failed) {
            throw fault(
                    Failure.Kind.ASSERTION,
                    "E0502",
                    text() + " failed: " + Values.outcome(failed),
                    failed.reason(),
                    Optional.empty(),
                    List.of());
        }
        throw refused(Refusal.of("E0402", "an integer is needed here", "this is " + Values.kind(value)));
    }
}
