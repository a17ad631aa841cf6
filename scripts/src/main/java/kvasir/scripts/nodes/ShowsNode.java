package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.List;
import kvasir.grammar.Span;
import kvasir.scripts.binding.LineDiff;
import kvasir.scripts.binding.Pictures;

/** {@code subject shows """picture"""}: equal line by line, blanks at the ends of lines aside. */
public final class ShowsNode extends ExpressionNode {
    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode subject;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode picture;

    /** Whether {@code subject} looks like {@code picture}. */
    public ShowsNode(Span span, ExpressionNode subject, ExpressionNode picture) {
        super(span);
        this.subject = subject;
        this.picture = picture;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Object value = subject.execute(frame);
        Object expected = picture.execute(frame);
        String wanted = Pictures.tidy(Pictures.of(expected));
        String shown = Pictures.tidy(Pictures.of(value));
        boolean result = shown.equals(wanted);
        if (!result && picture instanceof LiteralNode && execution(frame).updating()) {
            execution(frame).updates().add(new Execution.PictureUpdate(picture.span(), shown));
            return true;
        }
        Watch watch = execution(frame).watch();
        if (watch != null) {
            String diff = result ? "" : LineDiff.of(wanted, shown);
            watch.compare(new Watch.Compared(
                    text(), List.of(subject.text()), subject.text() + " as shown", "the picture", result, diff));
        }
        return result;
    }
}
