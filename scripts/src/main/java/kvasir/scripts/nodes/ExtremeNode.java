package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.List;
import kvasir.grammar.Span;

/** {@code min(a, b)}, {@code max(a, b)}: unsigned. */
public final class ExtremeNode extends ExpressionNode {
    private final boolean greatest;

    @Children
    private final ExpressionNode[] values;

    /** @param values at least one */
    public ExtremeNode(Span span, boolean greatest, List<ExpressionNode> values) {
        super(span);
        this.greatest = greatest;
        this.values = values.toArray(ExpressionNode[]::new);
    }

    @Override
    public Object execute(VirtualFrame frame) {
        long best = values[0].executeInteger(frame);
        for (int i = 1; i < values.length; i++) {
            long value = values[i].executeInteger(frame);
            if (Long.compareUnsigned(value, best) > 0 == greatest) {
                best = value;
            }
        }
        return best;
    }
}
