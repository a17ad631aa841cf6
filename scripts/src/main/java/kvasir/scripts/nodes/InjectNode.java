package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import kvasir.grammar.Span;

/** {@code explore { faults signal }}: a task of a race that is something the host does. */
public final class InjectNode extends ExpressionNode {
    private final String fault;

    /** @param fault one of {@link kvasir.scripts.Machines#faults()} */
    public InjectNode(Span span, String fault) {
        super(span);
        this.fault = fault;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        return execution(frame).world().inject(fault);
    }
}
