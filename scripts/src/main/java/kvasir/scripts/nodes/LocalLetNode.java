package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import kvasir.grammar.Span;

/** {@code let name = value} inside a test or a function. */
public final class LocalLetNode extends StatementNode {
    private final int slot;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode value;

    /** @param slot of the frame */
    public LocalLetNode(Span span, int slot, ExpressionNode value) {
        super(span);
        this.slot = slot;
        this.value = value;
    }

    @Override
    public void execute(VirtualFrame frame) {
        frame.setObject(slot, value.execute(frame));
    }
}
