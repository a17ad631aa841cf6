package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.grammar.Span;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
import kvasir.scripts.Failure;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Values;

/** {@code object[key]}; the key may be a range. */
public final class IndexNode extends ExpressionNode {
    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode object;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode key;

    /** What {@code object} has at {@code key}. */
    public IndexNode(Span span, ExpressionNode object, ExpressionNode key) {
        super(span);
        this.object = object;
        this.key = key;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Object target = object.execute(frame);
        Object at = key.execute(frame);
        Object value = switch (target) {
            case Described described -> described(described, at);
            case List<?> list when at instanceof Long index -> list.get(bounded(index, list.size()));
            case List<?> list
            when at instanceof Range range ->
                list.subList(bound(range.start(), list.size()), bound(range.end(), list.size()));
            case Bytes bytes when at instanceof Long index -> (long) bytes.at(bounded(index, bytes.length()));
            case Bytes bytes
            when at instanceof Range range ->
                Bytes.of(Arrays.copyOfRange(
                        bytes.toArray(), bound(range.start(), bytes.length()), bound(range.end(), bytes.length())));
            case Map<?, ?> map when at instanceof String name && map.containsKey(name) -> map.get(name);
            default ->
                throw refused(
                        Refusal.of(
                                "E0406",
                                Values.kind(target) + " has no `[" + Values.show(at) + "]`",
                                "the key is " + Values.kind(at)),
                        key.span());
        };
        Watch watch = execution(frame).watch();
        if (watch != null) {
            watch.see(text(), value);
        }
        return value;
    }

    private Object described(Described target, Object at) {
        if (!(at instanceof Long) && !(at instanceof Range)) {
            throw refused(
                    Refusal.of(
                            "E0302",
                            target.label() + "[...] wants an integer or a range",
                            "this is " + Values.kind(at)),
                    key.span());
        }
        Object value = Invocation.index(this, target, at)
                .orElseThrow(() -> refused(
                        Refusal.of(
                                "E0406",
                                target.label() + " has no `[" + Values.show(at) + "]`",
                                Values.article(target.api().name()) + " has no entries"),
                        key.span()));
        if (value instanceof Outcome.Failed failed) {
            throw fault(
                    Failure.Kind.SCRIPT,
                    "E0406",
                    target.label() + "[" + Values.show(at) + "]: " + failed.name(),
                    failed.reason(),
                    Optional.empty(),
                    List.of());
        }
        return value;
    }

    private int bounded(long index, int length) {
        if (Long.compareUnsigned(index, length) >= 0) {
            throw refused(
                    Refusal.of("E0406", "there is no item " + Long.toUnsignedString(index), "there are " + length),
                    key.span());
        }
        return (int) index;
    }

    private int bound(long index, int length) {
        if (Long.compareUnsigned(index, length) > 0) {
            throw refused(
                    Refusal.of("E0406", "there is no item " + Long.toUnsignedString(index), "there are " + length),
                    key.span());
        }
        return (int) index;
    }
}
