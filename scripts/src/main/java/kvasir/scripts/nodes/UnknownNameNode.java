package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import kvasir.grammar.Span;
import kvasir.scripts.binding.Refusal;

/** A bare name that is no variable: legal as a word of an operation, which then never evaluates it. */
public final class UnknownNameNode extends ExpressionNode {
    private final Refusal refusal;

    /** @param refusal what to say if it is evaluated after all */
    public UnknownNameNode(Span span, Refusal refusal) {
        super(span);
        this.refusal = refusal;
    }

    /** What to say if it is evaluated. */
    public Refusal refusal() {
        return refusal;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        throw refused(refusal);
    }
}
