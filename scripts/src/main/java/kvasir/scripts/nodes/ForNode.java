package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.List;
import kvasir.grammar.Span;
import kvasir.registry.Range;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Values;
import org.jspecify.annotations.Nullable;

/** {@code for page in 0 .. 2M step 4K { ... }}. */
public final class ForNode extends StatementNode {
    private final int slot;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode over;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private @Nullable ExpressionNode step;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private BlockNode body;

    /**
     * @param slot of the variable
     * @param over a range or a list
     * @param step from one value of a range to the next; 1 if absent
     */
    public ForNode(Span span, int slot, ExpressionNode over, @Nullable ExpressionNode step, BlockNode body) {
        super(span);
        this.slot = slot;
        this.over = over;
        this.step = step;
        this.body = body;
    }

    @Override
    public void execute(VirtualFrame frame) {
        Object value = over.execute(frame);
        switch (value) {
            case Range range -> range(frame, range);
            case List<?> list
            when step == null -> {
                for (Object item : list) {
                    once(frame, item);
                }
            }
            default ->
                throw refused(
                        Refusal.of(
                                "E0411",
                                "`for` goes over a range or a list",
                                "this is " + Values.kind(value) + (step == null ? "" : ", with a step")),
                        over.span());
        }
    }

    private void range(VirtualFrame frame, Range range) {
        long by = step == null ? 1 : step.executeInteger(frame);
        if (by == 0) {
            throw refused(
                    Refusal.of("E0411", "a step of 0 goes nowhere", "this is 0"), step == null ? span() : step.span());
        }
        long at = range.start();
        while (range.contains(at)) {
            once(frame, at);
            if (Long.compareUnsigned(at + by, at) < 0) {
                return;
            }
            at += by;
        }
    }

    private void once(VirtualFrame frame, Object value) {
        LoopGuard.step(this, execution(frame));
        frame.setObject(slot, value);
        body.execute(frame);
    }
}
