package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kvasir.grammar.Span;

/** {@code { gpa: 0, size: 64M }}. */
public final class RecordNode extends ExpressionNode {
    private final List<String> names;

    @Children
    private final ExpressionNode[] values;

    /** The record with these names and values, in this order. */
    public RecordNode(Span span, List<String> names, List<ExpressionNode> values) {
        super(span);
        this.names = List.copyOf(names);
        this.values = values.toArray(ExpressionNode[]::new);
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Map<String, Object> fields = new LinkedHashMap<>();
        for (int i = 0; i < values.length; i++) {
            fields.put(names.get(i), values[i].execute(frame));
        }
        return Collections.unmodifiableMap(fields);
    }
}
