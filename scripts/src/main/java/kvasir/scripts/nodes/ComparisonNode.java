package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.List;
import kvasir.grammar.BinaryOperator;
import kvasir.grammar.Span;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Values;

/** {@code a == b}, {@code a < b} and kin; the order of integers is unsigned. */
public final class ComparisonNode extends ExpressionNode {
    private final BinaryOperator operator;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode left;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode right;

    /** One comparison between two operands. */
    public ComparisonNode(Span span, BinaryOperator operator, ExpressionNode left, ExpressionNode right) {
        super(span);
        this.operator = operator;
        this.left = left;
        this.right = right;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Object a = left.execute(frame);
        Object b = right.execute(frame);
        boolean result = compare(a, b);
        Watch watch = execution(frame).watch();
        if (watch != null) {
            watch.compare(new Watch.Compared(
                    text(),
                    List.of(left.text(), right.text()),
                    Values.show(a),
                    Values.show(b),
                    result,
                    difference(a, b)));
        }
        return result;
    }

    private boolean compare(Object a, Object b) {
        return switch (operator) {
            case EQUAL -> equal(a, b);
            case NOT_EQUAL -> !equal(a, b);
            case LESS -> order(a, b) < 0;
            case LESS_OR_EQUAL -> order(a, b) <= 0;
            case GREATER -> order(a, b) > 0;
            case GREATER_OR_EQUAL -> order(a, b) >= 0;
            default -> throw new IllegalStateException(operator + " is no comparison");
        };
    }

    private boolean equal(Object a, Object b) {
        if (a instanceof Described || b instanceof Described || Values.kind(a).equals(Values.kind(b))) {
            return Values.same(a, b);
        }
        throw refused(Refusal.of(
                        "E0405",
                        "values of two kinds are never equal",
                        "these are " + Values.kind(a) + " and " + Values.kind(b))
                .help("outcomes and states are compared with `is`"));
    }

    private int order(Object a, Object b) {
        if (a instanceof Long x && b instanceof Long y) {
            return Long.compareUnsigned(x, y);
        }
        throw refused(Refusal.of(
                "E0402",
                "`" + operator.symbol() + "` needs two integers",
                "these are " + Values.kind(a) + " and " + Values.kind(b)));
    }

    private static String difference(Object a, Object b) {
        if (a instanceof Bytes x && b instanceof Bytes y && !x.equals(y)) {
            if (x.length() != y.length()) {
                return "left has " + x.length() + " bytes, right has " + y.length();
            }
            int at = 0;
            while (x.at(at) == y.at(at)) {
                at++;
            }
            return "first difference at byte " + at + ": " + Integer.toHexString(x.at(at)) + " and "
                    + Integer.toHexString(y.at(at));
        }
        return "";
    }
}
