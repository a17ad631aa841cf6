package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import kvasir.grammar.Span;

/** {@code a and b}, {@code a or b}; the right side is evaluated only if it matters. */
public final class LogicalNode extends ExpressionNode {
    private final boolean and;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode left;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode right;

    /** @param and whether it is {@code and}, else {@code or} */
    public LogicalNode(Span span, boolean and, ExpressionNode left, ExpressionNode right) {
        super(span);
        this.and = and;
        this.left = left;
        this.right = right;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        return left.executeBoolean(frame) == and ? right.executeBoolean(frame) : !and;
    }
}
