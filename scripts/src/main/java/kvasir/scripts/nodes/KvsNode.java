package kvasir.scripts.nodes;

import com.oracle.truffle.api.CompilerDirectives.TruffleBoundary;
import com.oracle.truffle.api.frame.VirtualFrame;
import com.oracle.truffle.api.nodes.Node;
import com.oracle.truffle.api.source.SourceSection;
import java.util.List;
import java.util.Optional;
import kvasir.grammar.Diagnostic;
import kvasir.grammar.Span;
import kvasir.scripts.Failure;
import kvasir.scripts.binding.Refusal;
import org.jspecify.annotations.Nullable;

/** A node that knows where in a script it stands. */
abstract class KvsNode extends Node {
    private final Span span;

    KvsNode(Span span) {
        this.span = span;
    }

    /** Where it was read from. */
    public final Span span() {
        return span;
    }

    /** The characters it was read from, in one line. */
    final String text() {
        return span.text().strip().replaceAll("\\s*\\n\\s*", " ");
    }

    @Override
    @TruffleBoundary
    public @Nullable SourceSection getSourceSection() {
        return getRootNode() instanceof KvsRootNode root ? root.section(span) : null;
    }

    static Execution execution(VirtualFrame frame) {
        return (Execution) frame.getArguments()[0];
    }

    /** The exception for a value or name that will not do in this run. */
    final ScriptException refused(Refusal refusal) {
        return refused(refusal, span);
    }

    final ScriptException refused(Refusal refusal, Span where) {
        var diagnostic = new Diagnostic(refusal.code(), where, refusal.message(), refusal.reason(), refusal.help());
        return new ScriptException(new Fault(Failure.Kind.SCRIPT, diagnostic, List.of()), this);
    }

    final ScriptException fault(
            Failure.Kind kind, String code, String message, String reason, Optional<String> help, List<String> notes) {
        return new ScriptException(new Fault(kind, new Diagnostic(code, span, message, reason, help), notes), this);
    }
}
