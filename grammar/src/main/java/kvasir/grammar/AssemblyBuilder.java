package kvasir.grammar;

import static kvasir.grammar.KVSParser.*;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.tree.ParseTree;
import org.antlr.v4.runtime.tree.TerminalNode;
import org.jspecify.annotations.Nullable;

/** Builds guest programs out of the parser's contexts. */
final class AssemblyBuilder {
    private final Problems problems;
    private final ExpressionBuilder expressions;

    AssemblyBuilder(Problems problems, ExpressionBuilder expressions) {
        this.problems = problems;
        this.expressions = expressions;
    }

    Assembly line(AssemblyLineContext context) {
        Span span = expressions.span(context.getStart());
        if (context.exception != null) {
            return new Assembly.Malformed(span);
        }
        if (context.strayInAssembly() != null) {
            problems.add(Diagnostic.of(
                            "E0219",
                            span,
                            "no assembly line begins with "
                                    + Wording.quote(context.getStart().getText()),
                            "a label, an instruction or a directive is expected here")
                    .help("write `label:` or `mnemonic operand, operand`"));
            return new Assembly.Malformed(span);
        }
        Span whole = span.to(lastBeforeLineEnd(context));
        if (context.ASM_TIMES() != null) {
            return new Assembly.Times(whole, value(context.value()), item(context.item()));
        }
        if (context.ASM_DATA() != null && context.NAME() == null) {
            return data(whole, context.ASM_DATA(), context.values());
        }
        Identifier name = expressions.identifier(context.NAME());
        if (context.COLON() != null) {
            return new Assembly.Label(whole, name);
        }
        if (context.ASM_EQU() != null) {
            return new Assembly.Equ(whole, name, value(context.value()));
        }
        if (context.ASM_DATA() != null) {
            problems.add(Diagnostic.of("E0219", name.span(), "a label needs a colon", "it stands before data")
                    .help("write `" + name.text() + ":`"));
            return data(whole, context.ASM_DATA(), context.values());
        }
        return instruction(whole, context.ASM_PREFIX(), name, context.operands());
    }

    private Span lastBeforeLineEnd(AssemblyLineContext context) {
        ParseTree last = context.getChild(context.getChildCount() - 2);
        return last instanceof ParserRuleContext inner
                ? expressions.span(inner)
                : expressions.span(((TerminalNode) last).getSymbol());
    }

    private Assembly item(ItemContext context) {
        Span span = expressions.span(context);
        if (context.ASM_DATA() != null) {
            return data(span, context.ASM_DATA(), context.values());
        }
        return instruction(span, context.ASM_PREFIX(), expressions.identifier(context.NAME()), context.operands());
    }

    private Assembly data(Span span, TerminalNode directive, ValuesContext values) {
        int unit = switch (directive.getText().toLowerCase(Locale.ROOT)) {
            case "db" -> 1;
            case "dw" -> 2;
            case "dd" -> 4;
            default -> 8;
        };
        return new Assembly.Data(
                span, unit, values.value().stream().map(this::value).toList());
    }

    private Assembly instruction(
            Span span, List<TerminalNode> prefixes, Identifier mnemonic, @Nullable OperandsContext context) {
        List<Assembly.Operand> operands = context == null
                ? List.of()
                : context.operand().stream().map(this::operand).toList();
        String word = mnemonic.text().toLowerCase(Locale.ROOT);
        if (!word.equals("align") && !word.equals("org")) {
            return new Assembly.Instruction(
                    span, prefixes.stream().map(expressions::identifier).toList(), mnemonic, operands);
        }
        if (operands.size() == 1
                && operands.getFirst() instanceof Assembly.Operand.Plain plain
                && plain.size().isEmpty()
                && plain.distance().isEmpty()) {
            return word.equals("align")
                    ? new Assembly.Align(span, plain.value())
                    : new Assembly.Org(span, plain.value());
        }
        problems.add(
                Diagnostic.of("E0219", mnemonic.span(), "`" + word + "` takes one number", "write `" + word + " 16`"));
        return new Assembly.Malformed(span);
    }

    private Assembly.Operand operand(OperandContext context) {
        Span span = expressions.span(context);
        Optional<Assembly.Size> size = Optional.empty();
        Optional<Assembly.Distance> distance = Optional.empty();
        for (TerminalNode node : context.ASM_SIZE()) {
            size = Optional.of(size(node.getText()));
        }
        for (TerminalNode node : context.ASM_DISTANCE()) {
            distance = Optional.of(Assembly.Distance.valueOf(node.getText().toUpperCase(Locale.ROOT)));
        }
        List<ValueContext> values = context.value();
        if (context.memory() == null) {
            return values.size() == 1
                    ? new Assembly.Operand.Plain(span, size, distance, value(values.getFirst()))
                    : new Assembly.Operand.FarPointer(span, size, distance, value(values.get(0)), value(values.get(1)));
        }
        MemoryContext memory = context.memory();
        Optional<ValueContext> before = values.stream().findFirst();
        Optional<ValueContext> within = memory.value().size() == 2 ? Optional.of(memory.value(0)) : Optional.empty();
        if (before.isPresent() && within.isPresent()) {
            problems.add(Diagnostic.of(
                    "E0219", expressions.span(within.get()), "two segment overrides", "one already stands before `[`"));
        }
        return new Assembly.Operand.Memory(
                span,
                size,
                distance,
                before.or(() -> within).map(this::segment),
                memory.ASM_REL() != null,
                value(memory.value().getLast()));
    }

    private Identifier segment(ValueContext context) {
        Span span = expressions.span(context);
        if (!span.text().chars().allMatch(Character::isLetter)) {
            problems.add(
                    Diagnostic.of("E0219", span, "not a segment register", "cs, ds, es, fs, gs or ss stands here"));
        }
        return new Identifier(span, span.text());
    }

    private static Assembly.Size size(String word) {
        return switch (word.toLowerCase(Locale.ROOT)) {
            case "tword" -> Assembly.Size.TBYTE;
            case "oword" -> Assembly.Size.XMMWORD;
            case "yword" -> Assembly.Size.YMMWORD;
            default -> Assembly.Size.valueOf(word.toUpperCase(Locale.ROOT));
        };
    }

    private Assembly.Value value(ValueContext context) {
        List<Assembly.Value> values = new ArrayList<>();
        List<BinaryOperator> waiting = new ArrayList<>();
        if (context.asmUnary().size() > ExpressionBuilder.LONGEST_CHAIN) {
            Span span = expressions.span(context.getStart());
            problems.add(Diagnostic.of("E0209", span, "expression is too long", "too many parts in one chain"));
            return new Assembly.Value.Here(span);
        }
        for (ParseTree child : context.children) {
            if (child instanceof AsmUnaryContext unary) {
                values.add(unary(unary));
                continue;
            }
            BinaryOperator operator = ExpressionBuilder.arithmeticOperator(((TerminalNode) child).getSymbol());
            while (!waiting.isEmpty() && waiting.getLast().strength() >= operator.strength()) {
                reduce(values, waiting);
            }
            waiting.add(operator);
        }
        while (!waiting.isEmpty()) {
            reduce(values, waiting);
        }
        return values.getFirst();
    }

    private static void reduce(List<Assembly.Value> values, List<BinaryOperator> waiting) {
        Assembly.Value right = values.removeLast();
        Assembly.Value left = values.removeLast();
        values.add(new Assembly.Value.Binary(left.span().to(right.span()), waiting.removeLast(), left, right));
    }

    private Assembly.Value unary(AsmUnaryContext context) {
        Assembly.Value value = primary(context.asmPrimary());
        int signs = context.children.size() - 1;
        if (signs > ExpressionBuilder.LONGEST_CHAIN) {
            problems.add(Diagnostic.of("E0209", value.span(), "expression is too long", "too many signs before it"));
            return value;
        }
        for (int i = signs - 1; i >= 0; i--) {
            Token sign = ((TerminalNode) context.getChild(i)).getSymbol();
            UnaryOperator operator = sign.getType() == MINUS ? UnaryOperator.NEGATE : UnaryOperator.COMPLEMENT;
            value = new Assembly.Value.Unary(expressions.span(sign).to(value.span()), operator, value);
        }
        return value;
    }

    private Assembly.Value primary(AsmPrimaryContext context) {
        Token token = context.getStart();
        Span span = expressions.span(context);
        return switch (token.getType()) {
            case NUMBER -> {
                Numeral numeral = Numeral.readInAssembly(token.getText());
                numeral.fault().ifPresent(fault -> expressions.report(token, fault));
                yield new Assembly.Value.Constant(span, numeral.value(), token.getText());
            }
            case STRING -> new Assembly.Value.Text(span, expressions.text(token).value());
            case NAME -> new Assembly.Value.Symbol(span, token.getText());
            case ASM_HERE -> new Assembly.Value.Here(span);
            case ASM_START -> new Assembly.Value.Start(span);
            default -> new Assembly.Value.Parenthesized(span, value(context.value()));
        };
    }
}
