package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import kvasir.grammar.Span;

/** {@code 4K}, {@code true}, {@code "text"}, {@code hex"0f0b"}. */
public final class LiteralNode extends ExpressionNode {
    private final Object value;

    /** An expression that always has {@code value}. */
    public LiteralNode(Span span, Object value) {
        super(span);
        this.value = value;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        return value;
    }
}
