package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import kvasir.grammar.Span;
import kvasir.registry.Bytes;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Values;

/** {@code zeros(4K)}. */
public final class ZerosNode extends ExpressionNode {
    private static final long LIMIT = 1L << 30;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode length;

    /** So many zero bytes. */
    public ZerosNode(Span span, ExpressionNode length) {
        super(span);
        this.length = length;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        long bytes = length.executeInteger(frame);
        if (Long.compareUnsigned(bytes, LIMIT) > 0) {
            throw refused(
                    Refusal.of("E0407", "a byte string holds at most 1G", "this is " + Values.integer(bytes)),
                    length.span());
        }
        return Bytes.of(new byte[(int) bytes]);
    }
}
