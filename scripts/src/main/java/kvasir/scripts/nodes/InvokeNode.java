package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import kvasir.grammar.Identifier;
import kvasir.grammar.Span;
import kvasir.registry.Api;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Range;
import kvasir.scripts.binding.ArgumentCheck;
import kvasir.scripts.binding.ArgumentPlan;
import kvasir.scripts.binding.Members;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Zeros;
import org.jspecify.annotations.Nullable;

/** {@code object.verb arguments}: an operation; its value is the outcome or whatever else the operation gives. */
public final class InvokeNode extends ExpressionNode {
    private final Identifier verb;
    private final List<ArgumentPlan.Term> terms;
    private final Set<String> variables;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode object;

    @Children
    private final ExpressionNode[] arguments;

    private @Nullable Api<?> plannedFor;
    private @Nullable Planned planned;

    private record Planned(Api.Operation<?> operation, ArgumentPlan plan) {}

    /**
     * @param terms the arguments as names see them
     * @param arguments the same as values
     */
    public InvokeNode(
            Span span,
            ExpressionNode object,
            Identifier verb,
            List<ArgumentPlan.Term> terms,
            List<ExpressionNode> arguments) {
        super(span);
        this.object = object;
        this.verb = verb;
        this.terms = List.copyOf(terms);
        this.arguments = arguments.toArray(ExpressionNode[]::new);
        this.variables = java.util.stream.IntStream.range(0, terms.size())
                .filter(i -> !(arguments.get(i) instanceof UnknownNameNode))
                .mapToObj(i -> terms.get(i).word())
                .collect(Collectors.toUnmodifiableSet());
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Object target = object.execute(frame);
        if (!(target instanceof Described described)) {
            throw refused(MemberNode.needsObject(target, verb.text()), object.span());
        }
        Planned known = planned;
        if (known == null || plannedFor != described.api()) {
            known = plan(described);
            planned = known;
            plannedFor = described.api();
        }
        String label = described.label() + "." + verb.text();
        Map<String, Object> values = new LinkedHashMap<>();
        for (ArgumentPlan.Slot slot : known.plan.slots()) {
            values.put(
                    slot.parameter().name(),
                    switch (slot) {
                        case ArgumentPlan.Slot.Fixed fixed -> fixed.value();
                        case ArgumentPlan.Slot.Evaluated evaluated -> argument(frame, evaluated, label);
                    });
        }
        values.replaceAll((name, value) -> value == Zeros.ZEROS ? zeros(values, label) : value);
        Object value = Invocation.call(this, described, known.operation, values);
        Watch watch = execution(frame).watch();
        if (watch != null) {
            watch.see(text(), value);
        }
        return value;
    }

    private Object argument(VirtualFrame frame, ArgumentPlan.Slot.Evaluated slot, String label) {
        ExpressionNode argument = arguments[slot.term()];
        Object value = argument.execute(frame);
        ArgumentCheck.refusal(label, slot.parameter(), value).ifPresent(refusal -> {
            throw refused(refusal, argument.span());
        });
        return value;
    }

    private Planned plan(Described target) {
        var operation =
                Members.operation(target.api(), verb.text()).orElseThrow(() -> refused(unknown(target), verb.span()));
        String label = target.label() + "." + verb.text();
        return switch (ArgumentPlan.of(operation, label, terms, variables::contains, List.of())) {
            case ArgumentPlan.Result.Refused(var refusal, var term) ->
                throw refused(refusal, term < 0 ? verb.span() : arguments[term].span());
            case ArgumentPlan.Result.Planned(var plan) -> new Planned(operation, plan);
        };
    }

    private Refusal unknown(Described target) {
        return Members.property(target.api(), verb.text()).isPresent()
                ? Refusal.of(
                        "E0303",
                        target.label() + "." + verb.text() + " is a property and takes no arguments",
                        "not an operation")
                : Members.unknown(target.api(), target.label(), verb.text());
    }

    private Bytes zeros(Map<String, Object> values, String label) {
        for (Object value : values.values()) {
            if (value instanceof Range range && Long.compareUnsigned(range.size(), Integer.MAX_VALUE) < 0) {
                return Bytes.of(new byte[(int) range.size()]);
            }
        }
        throw refused(Refusal.of("E0407", "how many zeros " + label + " needs is not known", "no range beside it")
                .help("write how many: zeros(4K)"));
    }
}
