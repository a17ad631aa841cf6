package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.List;
import java.util.Optional;
import kvasir.grammar.Diagnostic;
import kvasir.grammar.Span;
import kvasir.scripts.Failure;

/** {@code invariants on} and {@code invariants off}: whether what must always hold is checked after every event. */
public final class InvariantsNode extends StatementNode {
    private final boolean on;

    /** Turns the check on or off. */
    public InvariantsNode(Span span, boolean on) {
        super(span);
        this.on = on;
    }

    @Override
    public void execute(VirtualFrame frame) {
        execution(frame).world().watchInvariants(on);
    }

    /** Ends the test if one has broken. */
    static void check(StatementNode node, Execution execution) {
        Optional<String> broken = execution.world().brokenInvariant();
        if (broken.isPresent()) {
            throw new ScriptException(fault(node.span(), broken.get()), node);
        }
    }

    /** What is told of a broken invariant. */
    public static Fault fault(Span span, String broken) {
        var diagnostic = new Diagnostic("E0506", span, "an invariant does not hold", broken, Optional.empty());
        return new Fault(Failure.Kind.ASSERTION, diagnostic, List.of());
    }
}
