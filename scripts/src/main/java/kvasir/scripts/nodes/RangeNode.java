package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import kvasir.grammar.Span;
import kvasir.registry.Range;

/** {@code start .. end}. */
public final class RangeNode extends ExpressionNode {
    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode start;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode end;

    /** The half-open range of two integers. */
    public RangeNode(Span span, ExpressionNode start, ExpressionNode end) {
        super(span);
        this.start = start;
        this.end = end;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        long from = start.executeInteger(frame);
        return new Range(from, end.executeInteger(frame));
    }
}
