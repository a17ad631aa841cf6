package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import kvasir.grammar.Span;
import kvasir.grammar.UnaryOperator;

/** {@code -x}, {@code ~x}, {@code not x}. */
public final class UnaryNode extends ExpressionNode {
    private final UnaryOperator operator;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode operand;

    /** One operator before its operand. */
    public UnaryNode(Span span, UnaryOperator operator, ExpressionNode operand) {
        super(span);
        this.operator = operator;
        this.operand = operand;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        return switch (operator) {
            case NEGATE -> -operand.executeInteger(frame);
            case COMPLEMENT -> ~operand.executeInteger(frame);
            case NOT -> !operand.executeBoolean(frame);
        };
    }
}
