package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import kvasir.grammar.Span;

/** {@code let name = value} at the top level or in a setup. */
public final class GlobalLetNode extends StatementNode {
    private final int index;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode value;

    /** @param index among the top-level names */
    public GlobalLetNode(Span span, int index, ExpressionNode value) {
        super(span);
        this.index = index;
        this.value = value;
    }

    @Override
    public void execute(VirtualFrame frame) {
        execution(frame).setGlobal(index, value.execute(frame));
    }
}
