package kvasir.scripts.translate;

import java.util.Optional;
import kvasir.grammar.Expression;
import kvasir.registry.Api;
import kvasir.scripts.binding.ArgumentPlan;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Values;

/** What can be said about an argument before running: its kind, and the unit a literal is written in. */
final class ArgumentKinds {
    private ArgumentKinds() {}

    static void check(
            Context context,
            String label,
            Api.Parameter parameter,
            Expression value,
            ExpressionTranslator.Typed argument) {
        if (argument.node() instanceof kvasir.scripts.nodes.UnknownNameNode unknown) {
            context.report(value.span(), unknown.refusal());
        } else if (!argument.type().mayBe(parameter.kind())) {
            context.report(value.span(), wrongKind(label, parameter, value, argument.type()));
        } else if (value instanceof Expression.Int literal) {
            wrongUnit(label, parameter, literal).ifPresent(refusal -> context.report(value.span(), refusal));
        }
    }

    private static Refusal wrongKind(String label, Api.Parameter parameter, Expression value, Type type) {
        Refusal refusal = Refusal.of(
                "E0302",
                label + " wants " + Values.article(ArgumentPlan.kindName(parameter.kind())) + " as its `"
                        + parameter.name() + "`",
                "this is " + type.words());
        return parameter.kind() == Api.Kind.RANGE && value instanceof Expression.Int start
                ? refusal.help("a range has a start and an end: `" + start.text() + " .. "
                        + (start.text().startsWith("0x")
                                ? "0x" + Long.toHexString(start.value() + 4096)
                                : Values.size(start.value() + 4096))
                        + "`")
                : refusal;
    }

    private static Optional<Refusal> wrongUnit(String label, Api.Parameter parameter, Expression.Int literal) {
        boolean bytes = parameter.unit().isEmpty()
                || parameter.unit().equals("bytes")
                || parameter.unit().equals("address");
        char last = literal.text().charAt(literal.text().length() - 1);
        if (bytes || parameter.kind() != Api.Kind.U64 || "KMGT".indexOf(last) < 0) {
            return Optional.empty();
        }
        Refusal refusal = Refusal.of(
                "E0308",
                "`" + parameter.name() + "` of " + label + " counts " + parameter.unit(),
                "`" + last + "` makes this a number of bytes");
        boolean pages = parameter.unit().equals("pages") || parameter.unit().equals("gfn");
        return Optional.of(
                pages && literal.value() % 4096 == 0
                        ? refusal.help("in " + parameter.unit() + " of 4K this is `"
                                + Values.size(literal.value() / 4096) + "`")
                        : refusal);
    }
}
