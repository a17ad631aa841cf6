package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import kvasir.grammar.Span;
import kvasir.scripts.binding.Pictures;

/** {@code show td.ept}: prints a picture. */
public final class ShowNode extends StatementNode {
    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode subject;

    /** Prints what {@code subject} looks like. */
    public ShowNode(Span span, ExpressionNode subject) {
        super(span);
        this.subject = subject;
    }

    @Override
    public void execute(VirtualFrame frame) {
        String picture = Pictures.of(subject.execute(frame));
        execution(frame).print(picture.isEmpty() ? "(nothing)" : picture);
    }
}
