package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.grammar.Span;
import kvasir.registry.Outcome;
import kvasir.scripts.Failure;
import kvasir.scripts.binding.Values;
import org.jspecify.annotations.Nullable;

/** An operation standing alone, with the outcomes expected of it: {@code td.finalize -> ok}; with none it must succeed. */
public final class OperationNode extends StatementNode {
    private static final String UNSUPPORTED = "unsupported";
    private static final String BUDGET = "BUDGET";

    private final Map<String, Integer> rows;
    private final String label;
    private final Place place;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode call;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private @Nullable Matcher otherwise;

    @Children
    private final Matcher[] outcomes;

    /** Where it stands. */
    public enum Place {
        /** In a script. */
        SCRIPT,
        /** In a conversation, where its value is printed. */
        CONVERSATION,
        /** In the braces of a declaration, where it must succeed. */
        DECLARATION
    }

    /**
     * @param label how messages call it: {@code td.vcpu0.map_memory}
     * @param otherwise the outcome expected under semantics without a row; without it the operation must succeed
     * @param rows which of {@code outcomes} is expected, by semantics
     */
    public OperationNode(
            Span span,
            String label,
            ExpressionNode call,
            @Nullable Matcher otherwise,
            Map<String, Integer> rows,
            List<Matcher> outcomes,
            Place place) {
        super(span);
        this.label = label;
        this.call = call;
        this.otherwise = otherwise;
        this.rows = Map.copyOf(rows);
        this.outcomes = outcomes.toArray(Matcher[]::new);
        this.place = place;
    }

    @Override
    public void execute(VirtualFrame frame) {
        Execution execution = execution(frame);
        Object value = call.execute(frame);
        Integer row = rows.get(execution.semantics());
        Matcher expected = row == null ? otherwise : outcomes[row];
        if (expected != null) {
            if (value instanceof Outcome outcome) {
                execution.observe(outcome);
            }
            Optional<String> mismatch = expected.mismatch(frame, value);
            if (mismatch.isPresent()) {
                throw unexpected(value, expected.describe(frame), mismatch.get(), row != null);
            }
        } else if (value instanceof Outcome outcome && !(outcome instanceof Outcome.Ok)) {
            throw mustSucceed(outcome);
        }
        InvariantsNode.check(this, execution);
        if (place == Place.CONVERSATION && value != kvasir.scripts.binding.Nothing.NOTHING) {
            execution.print(kvasir.scripts.binding.Pictures.of(value));
        }
    }

    private ScriptException unexpected(Object value, String expected, String mismatch, boolean byRow) {
        var notes = new ArrayList<String>();
        notes.add("expected: " + expected + (byRow ? " (by its `on` row)" : ""));
        notes.add("outcome:  " + Values.plain(value));
        if (value instanceof Outcome.Failed failed) {
            notes.add("reason: " + failed.reason());
        }
        return failure(
                kind(value), "E0503", label + " ended otherwise than expected", mismatch, Optional.empty(), notes);
    }

    private ScriptException mustSucceed(Outcome outcome) {
        Optional<String> help = place == Place.DECLARATION
                ? Optional.empty()
                : Optional.of("if this is right, say so: `-> " + outcome.name() + "`");
        return switch (outcome) {
            case Outcome.Failed failed
            when failed.name().equals(UNSUPPORTED) ->
                failure(
                        Failure.Kind.MACHINE,
                        "E0602",
                        "unsupported: " + label,
                        failed.reason(),
                        Optional.empty(),
                        List.of());
            case Outcome.Failed failed
            when failed.name().equals(BUDGET) ->
                failure(
                        Failure.Kind.MACHINE,
                        "E0603",
                        label + " does not come back",
                        failed.reason(),
                        Optional.empty(),
                        List.of());
            case Outcome.Failed failed ->
                failure(
                        Failure.Kind.ASSERTION,
                        "E0502",
                        label + " failed: " + Values.outcome(outcome),
                        failed.reason(),
                        help,
                        List.of());
            case Outcome.Ok ok -> throw new IllegalStateException("ok is a success");
            case Outcome.Exit exit ->
                failure(
                        Failure.Kind.ASSERTION,
                        "E0502",
                        label + " came back with " + Values.outcome(outcome),
                        "an exit that nobody expected",
                        help,
                        List.of());
        };
    }

    /** What is not modelled and a guest that never exits are no verdict on what the script asserts. */
    private static Failure.Kind kind(Object value) {
        return value instanceof Outcome.Failed failed
                        && (failed.name().equals(UNSUPPORTED) || failed.name().equals(BUDGET))
                ? Failure.Kind.MACHINE
                : Failure.Kind.ASSERTION;
    }

    private ScriptException failure(
            Failure.Kind kind, String code, String message, String reason, Optional<String> help, List<String> notes) {
        var diagnostic = new kvasir.grammar.Diagnostic(code, call.span(), message, reason, help);
        return new ScriptException(new Fault(kind, diagnostic, notes), this);
    }
}
