package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import kvasir.grammar.Span;
import kvasir.scripts.binding.Refusal;

/** A name declared at the top level. */
public final class GlobalReadNode extends ExpressionNode {
    private final int index;

    /** @param index among the top-level names */
    public GlobalReadNode(Span span, int index) {
        super(span);
        this.index = index;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Execution execution = execution(frame);
        Object value = execution.global(index);
        if (value == null) {
            throw refused(Refusal.of(
                    "E0403",
                    "`" + text() + "` has no value yet",
                    "its declaration has not run under " + execution.semantics()));
        }
        Watch watch = execution.watch();
        if (watch != null) {
            watch.see(text(), value);
        }
        return value;
    }
}
