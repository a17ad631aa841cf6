package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.List;
import kvasir.grammar.Span;

/** {@code if a { ... } else if b { ... } else { ... }}. */
public final class IfNode extends StatementNode {
    @Children
    private final ExpressionNode[] conditions;

    @Children
    private final BlockNode[] blocks;

    /** @param blocks one for each condition, and one more if there is an {@code else} */
    public IfNode(Span span, List<ExpressionNode> conditions, List<BlockNode> blocks) {
        super(span);
        this.conditions = conditions.toArray(ExpressionNode[]::new);
        this.blocks = blocks.toArray(BlockNode[]::new);
    }

    @Override
    public void execute(VirtualFrame frame) {
        int chosen = 0;
        while (chosen < conditions.length && !conditions[chosen].executeBoolean(frame)) {
            chosen++;
        }
        if (chosen < blocks.length) {
            blocks[chosen].execute(frame);
        }
    }
}
