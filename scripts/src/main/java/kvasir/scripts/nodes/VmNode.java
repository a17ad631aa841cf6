package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.List;
import java.util.Optional;
import kvasir.grammar.Span;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.scripts.Failure;

/** {@code vm td = tdx { ... }}: a builder, the operations in the braces on it, and what is built. */
public final class VmNode extends ExpressionNode {
    private final int builderSlot;
    private final String type;
    private final String name;

    @Children
    private final StatementNode[] operations;

    /** @param builderSlot of the frame, where {@code operations} find the builder */
    public VmNode(Span span, int builderSlot, String type, String name, List<StatementNode> operations) {
        super(span);
        this.builderSlot = builderSlot;
        this.type = type;
        this.name = name;
        this.operations = operations.toArray(StatementNode[]::new);
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Execution execution = execution(frame);
        frame.setObject(builderSlot, builder(execution));
        for (StatementNode operation : operations) {
            operation.execute(frame);
        }
        Object built = build(execution, (Described) frame.getObject(builderSlot));
        if (built instanceof Outcome.Failed failed) {
            throw fault(
                    failed.name().equals("unsupported") ? Failure.Kind.MACHINE : Failure.Kind.ASSERTION,
                    "E0502",
                    "vm " + name + " cannot be created: " + failed.name(),
                    failed.reason(),
                    Optional.empty(),
                    List.of());
        }
        return built;
    }

    private Described builder(Execution execution) {
        try {
            return execution.world().builder(type, name);
        } catch (RuntimeException bug) {
            throw Invocation.bug(this, "vm " + name, bug);
        }
    }

    private Object build(Execution execution, Described builder) {
        try {
            return execution.world().build(builder);
        } catch (RuntimeException | StackOverflowError bug) {
            throw Invocation.bug(this, "vm " + name, bug);
        }
    }
}
