package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import kvasir.grammar.Span;

/** {@code [a, b]}. */
public final class ListNode extends ExpressionNode {
    @Children
    private final ExpressionNode[] items;

    /** The list of the values of {@code items}. */
    public ListNode(Span span, List<ExpressionNode> items) {
        super(span);
        this.items = items.toArray(ExpressionNode[]::new);
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Object[] values = new Object[items.length];
        for (int i = 0; i < items.length; i++) {
            values[i] = items[i].execute(frame);
        }
        return Collections.unmodifiableList(Arrays.asList(values));
    }
}
