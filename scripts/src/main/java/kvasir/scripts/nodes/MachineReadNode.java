package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import kvasir.grammar.Span;
import kvasir.registry.Described;

/** A name that every script sees, such as {@code host}. */
public final class MachineReadNode extends ExpressionNode {
    private final String name;

    /** @param name one of {@link kvasir.scripts.Machines#globals()} */
    public MachineReadNode(Span span, String name) {
        super(span);
        this.name = name;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Execution execution = execution(frame);
        Described object = execution
                .machineGlobal(name)
                .orElseThrow(() -> new IllegalStateException("the machine announces `" + name + "` but has none"));
        Watch watch = execution.watch();
        if (watch != null) {
            watch.see(name, object);
        }
        return object;
    }
}
