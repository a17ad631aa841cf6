package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.List;
import java.util.Optional;
import kvasir.grammar.Identifier;
import kvasir.grammar.Span;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.scripts.Failure;
import kvasir.scripts.binding.Assignment;
import kvasir.scripts.binding.Members;
import kvasir.scripts.binding.Refusal;

/** {@code object.property = value}. */
public final class AssignNode extends StatementNode {
    private final Identifier name;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode object;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode value;

    /** Gives the property {@code name} of {@code object} a value. */
    public AssignNode(Span span, ExpressionNode object, Identifier name, ExpressionNode value) {
        super(span);
        this.object = object;
        this.name = name;
        this.value = value;
    }

    @Override
    public void execute(VirtualFrame frame) {
        Object target = object.execute(frame);
        if (!(target instanceof Described described)) {
            throw refused(MemberNode.needsObject(target, name.text()), name.span());
        }
        if (assign(described, described.api(), value.execute(frame)) instanceof Outcome.Failed failed) {
            throw fault(
                    Failure.Kind.ASSERTION,
                    "E0502",
                    described.label() + "." + name.text() + " cannot be set: " + failed.name(),
                    failed.reason(),
                    Optional.empty(),
                    List.of());
        }
    }

    @SuppressWarnings("unchecked")
    private <T> Object assign(Described target, Api<T> api, Object newValue) {
        var property = Members.property(api, name.text())
                .orElseThrow(() -> refused(Members.unknown(api, target.label(), name.text()), name.span()));
        var setter = property.setter()
                .orElseThrow(() -> refused(
                        Refusal.of("E0410", target.label() + "." + name.text() + " is read only", "cannot be assigned"),
                        name.span()));
        Object settled = Assignment.settled(target.label(), property, newValue);
        if (settled instanceof Refusal refusal) {
            throw refused(refusal, value.span());
        }
        try {
            return setter.apply((T) target, settled);
        } catch (RuntimeException | StackOverflowError bug) {
            throw Invocation.bug(this, target.label() + "." + name.text() + " = ...", bug);
        }
    }
}
