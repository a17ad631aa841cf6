package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.List;
import kvasir.grammar.Identifier;
import kvasir.grammar.Span;
import kvasir.registry.Described;
import kvasir.scripts.binding.ArgumentPlan;
import kvasir.scripts.binding.Members;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.ValueMembers;
import kvasir.scripts.binding.Values;

/** {@code object.name}: a property, an operation that needs no argument, or a part of a value. */
public final class MemberNode extends ExpressionNode {
    private final Identifier name;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode object;

    /** The member {@code name} of what {@code object} gives. */
    public MemberNode(Span span, ExpressionNode object, Identifier name) {
        super(span);
        this.object = object;
        this.name = name;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Object value = of(this, object.execute(frame), name);
        Watch watch = execution(frame).watch();
        if (watch != null) {
            watch.see(text(), value);
        }
        return value;
    }

    /** The member {@code name} of {@code target}, read for {@code node}. */
    static Object of(KvsNode node, Object target, Identifier name) {
        Object value = target instanceof Described described
                ? Invocation.read(described, name.text()).orElseGet(() -> operation(node, described, name))
                : ValueMembers.get(target, name.text())
                        .orElseThrow(() -> node.refused(ValueMembers.unknown(target, name.text()), name.span()));
        if (value instanceof Refusal refusal) {
            throw node.refused(refusal, name.span());
        }
        return value;
    }

    private static Object operation(KvsNode node, Described target, Identifier name) {
        var operation = Members.operation(target.api(), name.text())
                .orElseThrow(
                        () -> node.refused(Members.unknown(target.api(), target.label(), name.text()), name.span()));
        String label = target.label() + "." + name.text();
        return switch (ArgumentPlan.of(operation, label, List.of(), word -> false, List.of())) {
            case ArgumentPlan.Result.Refused(var refusal, var term) -> refusal;
            case ArgumentPlan.Result.Planned(var plan) -> Invocation.call(node, target, operation, java.util.Map.of());
        };
    }

    static Refusal needsObject(Object value, String name) {
        return Refusal.of("E0301", "`" + name + "` is an operation of an object", "this is " + Values.kind(value));
    }
}
