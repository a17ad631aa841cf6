package kvasir.scripts.translate;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import kvasir.grammar.Assembly;
import kvasir.grammar.Expression;
import kvasir.grammar.Statement;
import kvasir.metal.cpu.isa.Register;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.guest.AssemblyFault;
import kvasir.scripts.guest.GuestCode;
import kvasir.scripts.nodes.ExpressionNode;
import kvasir.scripts.nodes.GuestNode;

/** {@code guest name = asm64 { ... }}; a program that names no variable of the script is assembled at once, as a check. */
final class GuestTranslator {
    private final Context context;
    private final ExpressionTranslator expressions;
    private final Map<String, ExpressionNode> variables = new LinkedHashMap<>();

    GuestTranslator(Context context, ExpressionTranslator expressions) {
        this.context = context;
        this.expressions = expressions;
    }

    ExpressionTranslator.Typed declaration(Statement.Guest guest) {
        guest.code().forEach(this::item);
        if (variables.isEmpty()) {
            var code = new GuestCode(guest.name().text(), guest.bits(), guest.code(), Map.of());
            for (AssemblyFault fault : code.assemble(0).faults()) {
                context.report(fault.span(), refusal(fault));
            }
        }
        return new ExpressionTranslator.Typed(
                new GuestNode(guest.span(), guest.name().text(), guest.bits(), guest.code(), variables),
                Type.Plain.GUEST);
    }

    private static Refusal refusal(AssemblyFault fault) {
        Refusal refusal = Refusal.of("E0318", fault.message(), "this does not assemble");
        return fault.help().isEmpty() ? refusal : refusal.help(fault.help());
    }

    private void item(Assembly item) {
        switch (item) {
            case Assembly.Instruction instruction -> instruction.operands().forEach(this::operand);
            case Assembly.Data data -> data.values().forEach(this::value);
            case Assembly.Times times -> {
                value(times.count());
                item(times.item());
            }
            case Assembly.Equ equ -> value(equ.value());
            case Assembly.Align align -> value(align.boundary());
            case Assembly.Org org -> value(org.address());
            case Assembly.Label label -> {}
            case Assembly.Malformed malformed -> {}
        }
    }

    private void operand(Assembly.Operand operand) {
        switch (operand) {
            case Assembly.Operand.Plain plain -> value(plain.value());
            case Assembly.Operand.Memory memory -> value(memory.address());
            case Assembly.Operand.FarPointer far -> {
                value(far.selector());
                value(far.offset());
            }
        }
    }

    private void value(Assembly.Value value) {
        switch (value) {
            case Assembly.Value.Symbol symbol -> {
                boolean register =
                        Register.named(symbol.name().toLowerCase(Locale.ROOT)).isPresent();
                if (!register) {
                    expressions
                            .variable(new Expression.Name(symbol.span(), symbol.name()))
                            .filter(typed -> typed.type() == Type.Plain.U64 || typed.type() == Type.Plain.UNKNOWN)
                            .ifPresent(typed -> variables.putIfAbsent(symbol.name(), typed.node()));
                }
            }
            case Assembly.Value.Unary unary -> value(unary.operand());
            case Assembly.Value.Binary binary -> {
                value(binary.left());
                value(binary.right());
            }
            case Assembly.Value.Parenthesized p -> value(p.inner());
            case Assembly.Value.Constant c -> {}
            case Assembly.Value.Text t -> {}
            case Assembly.Value.Here h -> {}
            case Assembly.Value.Start s -> {}
        }
    }
}
