package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.ArrayList;
import java.util.List;
import kvasir.grammar.Span;
import kvasir.scripts.binding.Values;

/** {@code answer outcome "and" count}: records what was observed as the script's answer under this semantics. */
public final class AnswerNode extends StatementNode {
    @Children
    private final ExpressionNode[] parts;

    /** Records the values of {@code parts}, a blank between them. */
    public AnswerNode(Span span, List<ExpressionNode> parts) {
        super(span);
        this.parts = parts.toArray(ExpressionNode[]::new);
    }

    @Override
    public void execute(VirtualFrame frame) {
        var words = new ArrayList<String>();
        for (ExpressionNode part : parts) {
            words.add(Values.plain(part.execute(frame)));
        }
        execution(frame).answers().add(String.join(" ", words));
    }
}
