package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.List;
import kvasir.grammar.Span;
import kvasir.scripts.Failure;
import kvasir.scripts.binding.Refusal;

/** {@code name(arguments)}: a function of the script. */
public final class CallNode extends ExpressionNode {
    private final FunctionSlot function;

    @Children
    private final ExpressionNode[] arguments;

    /** A call whose number of arguments has been checked. */
    public CallNode(Span span, FunctionSlot function, List<ExpressionNode> arguments) {
        super(span);
        this.function = function;
        this.arguments = arguments.toArray(ExpressionNode[]::new);
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Execution execution = execution(frame);
        Object[] values = new Object[arguments.length + 1];
        values[0] = execution;
        for (int i = 0; i < arguments.length; i++) {
            values[i + 1] = arguments[i].execute(frame);
        }
        LoopGuard.step(this, execution);
        if (!execution.enter(span())) {
            throw refused(
                    Refusal.of("E0408", "functions call each other too deep", "the 200th call in a row stands here"));
        }
        Watch outer = execution.watch();
        execution.endWatch();
        try {
            Object value = function.target().call(values);
            execution.resumeWatch(outer);
            if (outer != null) {
                outer.see(text(), value);
            }
            return value;
        } catch (ScriptException exception) {
            throw exception.fault().kind() == Failure.Kind.INTERRUPTED ? exception : exception.calledFrom(span());
        } finally {
            execution.leave();
        }
    }
}
