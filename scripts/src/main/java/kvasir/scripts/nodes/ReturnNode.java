package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import com.oracle.truffle.api.nodes.ControlFlowException;
import kvasir.grammar.Span;

/** {@code return value}. */
public final class ReturnNode extends StatementNode {
    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode value;

    /** Ends the running function with {@code value}. */
    public ReturnNode(Span span, ExpressionNode value) {
        super(span);
        this.value = value;
    }

    @Override
    public void execute(VirtualFrame frame) {
        throw new Returned(value.execute(frame));
    }

    /** Takes the value up to the function. */
    static final class Returned extends ControlFlowException {
        private static final long serialVersionUID = 1;
        private final transient Object value;

        Returned(Object value) {
            this.value = value;
        }

        Object value() {
            return value;
        }
    }
}
