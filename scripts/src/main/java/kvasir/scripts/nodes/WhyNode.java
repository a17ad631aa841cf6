package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.ArrayList;
import kvasir.grammar.Span;
import kvasir.registry.Described;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Values;

/** {@code why(td.ept[0x1000])}: the events that touched it, oldest first. */
public final class WhyNode extends ExpressionNode {
    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode subject;

    /** The story of {@code subject}. */
    public WhyNode(Span span, ExpressionNode subject) {
        super(span);
        this.subject = subject;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Object value = subject.execute(frame);
        if (!(value instanceof Described object)) {
            throw refused(
                    Refusal.of("E0302", "why asks about an object", "this is " + Values.kind(value)), subject.span());
        }
        var lines = new ArrayList<String>();
        execution(frame)
                .history()
                .ifPresent(history -> history.entries().stream()
                        .filter(entry -> entry.event().topic().overlaps(object.topic()))
                        .forEach(entry -> lines.add(
                                "#" + entry.sequence() + " " + entry.event().describe())));
        return lines.isEmpty() ? "nothing has touched " + object.label() + " yet" : String.join("\n", lines);
    }
}
