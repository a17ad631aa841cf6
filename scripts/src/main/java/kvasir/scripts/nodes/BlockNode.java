package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.List;
import kvasir.grammar.Span;

/** {@code { ... }}: statements one after another. */
public final class BlockNode extends StatementNode {
    @Children
    private final StatementNode[] statements;

    /** The sequence of {@code statements}. */
    public BlockNode(Span span, List<StatementNode> statements) {
        super(span);
        this.statements = statements.toArray(StatementNode[]::new);
    }

    @Override
    public void execute(VirtualFrame frame) {
        for (StatementNode statement : statements) {
            LoopGuard.step(statement, execution(frame));
            statement.execute(frame);
        }
    }

    @Override
    public boolean isInstrumentable() {
        return false;
    }
}
