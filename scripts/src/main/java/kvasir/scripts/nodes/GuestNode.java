package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kvasir.grammar.Assembly;
import kvasir.grammar.Span;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.guest.AssemblyFault;
import kvasir.scripts.guest.GuestCode;

/** {@code guest probe = asm64 { ... }}: the program, with the integers of the script that it names. */
public final class GuestNode extends ExpressionNode {
    private final String name;
    private final int bits;
    private final List<Assembly> items;
    private final List<String> names;

    @Children
    private final ExpressionNode[] values;

    /** @param variables of the script that the program names */
    public GuestNode(Span span, String name, int bits, List<Assembly> items, Map<String, ExpressionNode> variables) {
        super(span);
        this.name = name;
        this.bits = bits;
        this.items = List.copyOf(items);
        this.names = List.copyOf(variables.keySet());
        this.values = variables.values().toArray(ExpressionNode[]::new);
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Map<String, Long> constants = new LinkedHashMap<>();
        for (int i = 0; i < values.length; i++) {
            constants.put(names.get(i), values[i].executeInteger(frame));
        }
        var code = new GuestCode(name, bits, items, constants);
        if (!constants.isEmpty()) {
            List<AssemblyFault> faults = code.assemble(0).faults();
            if (!faults.isEmpty()) {
                AssemblyFault first = faults.getFirst();
                Refusal refusal = Refusal.of("E0413", first.message(), "this does not assemble");
                throw refused(first.help().isEmpty() ? refusal : refusal.help(first.help()), first.span());
            }
        }
        return code;
    }
}
