package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.List;
import java.util.Optional;
import kvasir.grammar.Span;
import kvasir.scripts.binding.Values;

/** {@code subject is pattern}, {@code subject is not pattern}. */
public final class IsNode extends ExpressionNode {
    private final boolean negated;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode subject;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private Matcher pattern;

    /** Whether {@code subject} matches, or with {@code negated} does not. */
    public IsNode(Span span, ExpressionNode subject, boolean negated, Matcher pattern) {
        super(span);
        this.subject = subject;
        this.negated = negated;
        this.pattern = pattern;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Object value = subject.execute(frame);
        Optional<String> mismatch = pattern.mismatch(frame, value);
        boolean result = mismatch.isEmpty() != negated;
        Watch watch = execution(frame).watch();
        if (watch != null) {
            String wanted = (negated ? "not " : "") + pattern.describe(frame);
            watch.compare(new Watch.Compared(
                    text(), List.of(subject.text()), Values.plain(value), wanted, result, mismatch.orElse("")));
        }
        return result;
    }
}
