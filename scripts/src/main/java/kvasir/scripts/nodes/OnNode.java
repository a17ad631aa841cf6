package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.Set;
import kvasir.grammar.Span;

/** {@code on sean, rfc { ... }}: runs under those semantics only. */
public final class OnNode extends StatementNode {
    private final Set<String> semantics;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private BlockNode body;

    /** Runs {@code body} if the semantics is one of {@code semantics}. */
    public OnNode(Span span, Set<String> semantics, BlockNode body) {
        super(span);
        this.semantics = Set.copyOf(semantics);
        this.body = body;
    }

    @Override
    public void execute(VirtualFrame frame) {
        if (semantics.contains(execution(frame).semantics())) {
            body.execute(frame);
        }
    }
}
