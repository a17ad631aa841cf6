package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import kvasir.grammar.Span;

/** A parameter of the running function. */
public final class ArgumentReadNode extends ExpressionNode {
    private final int position;

    /** @param position from 0 */
    public ArgumentReadNode(Span span, int position) {
        super(span);
        this.position = position;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        return frame.getArguments()[position + 1];
    }
}
