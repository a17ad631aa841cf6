package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.event.History;
import kvasir.grammar.Span;
import kvasir.registry.Described;
import kvasir.scripts.Failure;
import kvasir.scripts.binding.Values;
import org.jspecify.annotations.Nullable;

/** {@code assert condition}. */
public final class AssertNode extends StatementNode {
    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode condition;

    /** Ends the test unless {@code condition} is true. */
    public AssertNode(Span span, ExpressionNode condition) {
        super(span);
        this.condition = condition;
    }

    @Override
    public void execute(VirtualFrame frame) {
        Execution execution = execution(frame);
        Watch watch = execution.watchAssertion();
        try {
            if (!condition.executeBoolean(frame)) {
                throw failed(execution, watch);
            }
        } finally {
            execution.endWatch();
        }
    }

    private ScriptException failed(Execution execution, @Nullable Watch watch) {
        String reason = "this is false";
        var notes = new ArrayList<String>();
        if (watch != null) {
            reason = explain(watch, notes);
            values(watch, notes);
            lastEvent(watch, execution).ifPresent(notes::add);
        }
        var diagnostic =
                new kvasir.grammar.Diagnostic("E0501", condition.span(), "assertion failed", reason, Optional.empty());
        return new ScriptException(new Fault(Failure.Kind.ASSERTION, diagnostic, notes), this);
    }

    private String explain(Watch watch, List<String> notes) {
        List<Watch.Compared> compared = watch.compared();
        if (compared.size() == 1) {
            Watch.Compared only = compared.getFirst();
            if (only.detail().contains("\n") || only.right().equals("the picture")) {
                notes.add("difference (- expected, + shown):\n" + only.detail());
                return "shows something else";
            }
            notes.add("left:  " + only.left());
            notes.add("right: " + only.right());
            return only.detail().isEmpty() ? "this is " + only.result() : only.detail();
        }
        for (Watch.Compared each : compared) {
            notes.add(
                    "`" + each.text() + "` is " + each.result() + ": left " + each.left() + ", right " + each.right());
        }
        return "this is false";
    }

    /** Every sub-expression that is not a side of the only comparison, in order of evaluation. */
    private void values(Watch watch, List<String> notes) {
        Map<String, Object> values = new LinkedHashMap<>();
        watch.seen().forEach(seen -> values.put(seen.text(), seen.value()));
        if (watch.compared().size() == 1) {
            watch.compared().getFirst().operands().forEach(values::remove);
        }
        values.remove(condition.text());
        values.forEach((text, value) -> {
            if (!(value instanceof Described object)) {
                notes.add("where: " + text + " = " + Values.show(value));
            } else if (object.state().isPresent()) {
                notes.add("where: " + text + " = " + Values.plain(value));
            }
        });
    }

    /** Of the innermost object that anything has touched; that nothing has is worth saying only of what was compared. */
    private static Optional<String> lastEvent(Watch watch, Execution execution) {
        List<Described> subjects = watch.subjects();
        for (Described subject : subjects) {
            Optional<History.Entry> last = execution.history().flatMap(history -> history.last(subject.topic()));
            if (last.isPresent()) {
                return Optional.of("last event: #" + last.get().sequence() + " "
                        + last.get().event().describe());
            }
        }
        return subjects.stream()
                .filter(subject -> subject.state().isPresent())
                .findFirst()
                .map(subject -> "last event: nothing has touched " + subject.label() + " yet");
    }
}
