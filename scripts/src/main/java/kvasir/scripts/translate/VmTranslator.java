package kvasir.scripts.translate;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kvasir.grammar.Expression;
import kvasir.grammar.Identifier;
import kvasir.grammar.Statement;
import kvasir.registry.Api;
import kvasir.scripts.binding.ArgumentPlan;
import kvasir.scripts.binding.Members;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Spelling;
import kvasir.scripts.nodes.ExpressionNode;
import kvasir.scripts.nodes.InvokeNode;
import kvasir.scripts.nodes.LiteralNode;
import kvasir.scripts.nodes.LocalReadNode;
import kvasir.scripts.nodes.OperationNode;
import kvasir.scripts.nodes.StatementNode;
import kvasir.scripts.nodes.VmNode;

/** {@code vm name = type { ... }}: every line is one or more operations on the builder of the type. */
final class VmTranslator {
    private final Context context;
    private final FrameScope frame;
    private final ExpressionTranslator expressions;

    VmTranslator(Context context, FrameScope frame, ExpressionTranslator expressions) {
        this.context = context;
        this.frame = frame;
        this.expressions = expressions;
    }

    ExpressionTranslator.Typed declaration(Statement.Vm vm) {
        String type = vm.type().text();
        List<String> types = context.machines().vmTypes();
        if (!types.contains(type)) {
            context.report(
                    vm.type().span(),
                    Refusal.of("E0307", "unknown VM type `" + type + "`", "no VM is of this type")
                            .help(Spelling.help(type, types)));
            return new ExpressionTranslator.Typed(new LiteralNode(vm.span(), false), Type.Plain.UNKNOWN);
        }
        Api<?> builder = context.machines().builderApi(type);
        int slot = frame.slot("builder of " + vm.name().text());
        var operations = new ArrayList<StatementNode>();
        for (Statement.Line line : vm.lines()) {
            line(builder, slot, line, operations);
        }
        var node = new VmNode(vm.span(), slot, type, vm.name().text(), operations);
        return new ExpressionTranslator.Typed(
                node, new Type.Handle(context.machines().vmApi(type)));
    }

    private void line(Api<?> builder, int slot, Statement.Line line, List<StatementNode> operations) {
        Identifier verb = line.verb();
        List<Expression> rest = line.arguments();
        while (true) {
            var operation = Members.operation(builder, verb.text());
            if (operation.isEmpty()) {
                context.report(
                        verb.span(), Members.unknown(builder, "the declaration of " + builder.name(), verb.text()));
                return;
            }
            var arguments = new ArrayList<ExpressionTranslator.Typed>();
            rest.forEach(value -> arguments.add(expressions.argument(value)));
            var terms = rest.stream()
                    .map(value -> new ArgumentPlan.Term(value instanceof Expression.Name name ? name.name() : "", ""))
                    .toList();
            Set<String> variables = ExpressionTranslator.variables(rest, arguments);
            var result = ArgumentPlan.of(
                    operation.get(),
                    verb.text(),
                    terms,
                    variables::contains,
                    builder.operations().stream().map(Api.Operation::name).toList());
            expressions.check(result, verb.text(), verb.span(), rest, arguments);
            int used = result instanceof ArgumentPlan.Result.Planned(var plan) ? plan.used() : rest.size();
            var span =
                    used == 0 ? verb.span() : verb.span().to(rest.get(used - 1).span());
            List<ExpressionNode> nodes = arguments.subList(0, used).stream()
                    .map(ExpressionTranslator.Typed::node)
                    .toList();
            var call = new InvokeNode(span, new LocalReadNode(verb.span(), slot), verb, terms.subList(0, used), nodes);
            operations.add(new OperationNode(
                    span, verb.text(), call, null, Map.of(), List.of(), OperationNode.Place.DECLARATION));
            if (used == rest.size()) {
                return;
            }
            verb = new Identifier(rest.get(used).span(), terms.get(used).word());
            rest = rest.subList(used + 1, rest.size());
        }
    }
}
