package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import kvasir.grammar.BinaryOperator;
import kvasir.grammar.Span;
import kvasir.registry.Bytes;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Values;

/** {@code a + b} and kin: modulo 2^64, division unsigned. {@code +} also joins texts, lists and byte strings. */
public final class ArithmeticNode extends ExpressionNode {
    private final BinaryOperator operator;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode left;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode right;

    /** One arithmetic operator between two operands. */
    public ArithmeticNode(Span span, BinaryOperator operator, ExpressionNode left, ExpressionNode right) {
        super(span);
        this.operator = operator;
        this.left = left;
        this.right = right;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Object a = left.execute(frame);
        Object b = right.execute(frame);
        Object value = compute(a, b);
        Watch watch = execution(frame).watch();
        if (watch != null) {
            watch.see(text(), value);
        }
        return value;
    }

    private Object compute(Object a, Object b) {
        if (a instanceof Long x && b instanceof Long y) {
            return integer(x, y);
        }
        if (operator == BinaryOperator.ADD) {
            if (a instanceof String || b instanceof String) {
                return Values.plain(a) + Values.plain(b);
            }
            if (a instanceof List<?> x && b instanceof List<?> y) {
                var joined = new ArrayList<Object>(x);
                joined.addAll(y);
                return List.copyOf(joined);
            }
            if (a instanceof Bytes x && b instanceof Bytes y) {
                byte[] joined = Arrays.copyOf(x.toArray(), x.length() + y.length());
                System.arraycopy(y.toArray(), 0, joined, x.length(), y.length());
                return Bytes.of(joined);
            }
        }
        throw refused(Refusal.of(
                "E0402",
                "`" + operator.symbol() + "` needs two integers",
                "these are " + Values.kind(a) + " and " + Values.kind(b)));
    }

    private long integer(long x, long y) {
        return switch (operator) {
            case ADD -> x + y;
            case SUBTRACT -> x - y;
            case MULTIPLY -> x * y;
            case DIVIDE -> Long.divideUnsigned(x, divisor(y));
            case REMAINDER -> Long.remainderUnsigned(x, divisor(y));
            case BIT_OR -> x | y;
            case BIT_XOR -> x ^ y;
            case BIT_AND -> x & y;
            case SHIFT_LEFT -> Long.compareUnsigned(y, 64) < 0 ? x << y : 0;
            case SHIFT_RIGHT -> Long.compareUnsigned(y, 64) < 0 ? x >>> y : 0;
            case OR, AND, EQUAL, NOT_EQUAL, LESS, LESS_OR_EQUAL, GREATER, GREATER_OR_EQUAL ->
                throw new IllegalStateException(operator + " is no arithmetic");
        };
    }

    private long divisor(long y) {
        if (y == 0) {
            throw refused(Refusal.of("E0404", "division by zero", "the divisor is 0"));
        }
        return y;
    }
}
