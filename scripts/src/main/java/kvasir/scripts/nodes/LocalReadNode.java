package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import kvasir.grammar.Span;

/** A name declared inside a test or a function. */
public final class LocalReadNode extends ExpressionNode {
    private final int slot;

    /** @param slot of the frame */
    public LocalReadNode(Span span, int slot) {
        super(span);
        this.slot = slot;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Object value = frame.getObject(slot);
        Watch watch = execution(frame).watch();
        if (watch != null) {
            watch.see(text(), value);
        }
        return value;
    }
}
