package kvasir.grammar;

import static kvasir.grammar.KVSParser.*;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.tree.ParseTree;
import org.antlr.v4.runtime.tree.TerminalNode;

/** Builds expressions and patterns out of the parser's contexts, which are whole when they come here. */
final class ExpressionBuilder {
    /** More operators in one chain are refused, so that no walk over a tree can exhaust the stack. */
    static final int LONGEST_CHAIN = 500;

    private final Problems problems;
    private final SourceFile source;

    ExpressionBuilder(Problems problems) {
        this.problems = problems;
        this.source = problems.source();
    }

    Span span(Token token) {
        return source.span(token.getStartIndex(), Math.max(token.getStartIndex(), token.getStopIndex() + 1));
    }

    Span span(ParserRuleContext context) {
        Token stop = context.getStop();
        int start = context.getStart().getStartIndex();
        return source.span(start, Math.max(start, stop.getStopIndex() + 1));
    }

    Identifier identifier(TerminalNode node) {
        return new Identifier(span(node.getSymbol()), node.getText());
    }

    Expression.Text text(Token token) {
        String text = token.getText();
        if (token.getType() == BLOCK) {
            return new Expression.Text(span(token), Quoted.readBlock(text), true);
        }
        Quoted quoted = Quoted.read(text);
        for (int fault : quoted.faults()) {
            int at = token.getStartIndex() + fault;
            problems.add(Diagnostic.of("E0107", source.span(at, at + 2), "unknown escape in a string", "no such escape")
                    .help("escapes are \\n \\t \\r \\0 \\\\ \\\" \\xNN \\u{N...}"));
        }
        return new Expression.Text(span(token), quoted.value(), false);
    }

    /** An expression, or with arguments behind it an {@link Expression.Invoke}. */
    Expression invocation(InvocationContext context) {
        if (context.getChildCount() == 1) {
            return expression((ExpressionContext) context.getChild(0));
        }
        Expression callee = expression(context.expression());
        List<Expression> arguments =
                context.argument().stream().map(this::argument).toList();
        if (arguments.isEmpty()) {
            return callee;
        }
        boolean callable = callee instanceof Expression.Name
                || callee instanceof Expression.Member
                || callee instanceof Expression.Index
                || callee instanceof Expression.Call;
        if (!callable) {
            problems.add(Diagnostic.of(
                            "E0217",
                            arguments.getFirst().span(),
                            "a value cannot take arguments",
                            "the line should end before this")
                    .help("an operation is written `object.verb argument`"));
        }
        return new Expression.Invoke(span(context), callee, arguments);
    }

    Expression argument(ArgumentContext context) {
        if (context.wordInArguments() != null) {
            return new Expression.Name(span(context), context.getText());
        }
        if (context.getChildCount() == 1) {
            return postfix((PostfixContext) context.getChild(0));
        }
        List<Token> signs = new ArrayList<>();
        List<Expression> operands = new ArrayList<>();
        List<Token> operators = new ArrayList<>();
        for (ParseTree child : context.children) {
            if (child instanceof PostfixContext postfix) {
                operands.add(signed(signs, postfix(postfix)));
            } else if (child instanceof UnaryContext unary) {
                operands.add(unary(unary));
            } else if (child instanceof TerminalNode node) {
                Token token = node.getSymbol();
                if (token.getType() == TILDE) {
                    signs.add(token);
                } else if (token.getType() != DOTDOT) {
                    operators.add(token);
                }
            }
        }
        Expression first = chain(operands, operators);
        return context.arithmetic() == null
                ? first
                : new Expression.Range(span(context), first, arithmetic(context.arithmetic()));
    }

    // Most levels of an expression hold one part only, which is passed on at once.
    Expression expression(ExpressionContext context) {
        if (context.getChildCount() == 1) {
            return conjunction((ConjunctionContext) context.getChild(0));
        }
        return logical(
                BinaryOperator.OR,
                context.conjunction().stream().map(this::conjunction).toList());
    }

    private Expression conjunction(ConjunctionContext context) {
        if (context.getChildCount() == 1) {
            return negation((NegationContext) context.getChild(0));
        }
        return logical(
                BinaryOperator.AND,
                context.negation().stream().map(this::negation).toList());
    }

    private Expression logical(BinaryOperator operator, List<Expression> operands) {
        if (tooLong(operands.size(), operands.getFirst().span())) {
            return new Expression.Malformed(operands.getFirst().span());
        }
        return operands.stream()
                .reduce((left, right) -> new Expression.Binary(left.span().to(right.span()), operator, left, right))
                .orElseThrow();
    }

    private boolean tooLong(int size, Span span) {
        if (size <= LONGEST_CHAIN) {
            return false;
        }
        problems.add(Diagnostic.of(
                        "E0209", span, "expression is too long", "more than " + LONGEST_CHAIN + " parts in one chain")
                .help("name parts of it with `let`"));
        return true;
    }

    private Expression negation(NegationContext context) {
        if (context.getChildCount() == 1) {
            return comparison((ComparisonContext) context.getChild(0));
        }
        return signed(context.NOT().stream().map(TerminalNode::getSymbol).toList(), comparison(context.comparison()));
    }

    private Expression comparison(ComparisonContext context) {
        if (context.getChildCount() == 1) {
            return range((RangeContext) context.getChild(0));
        }
        Expression left = range(context.range(0));
        if (context.IS() != null) {
            return new Expression.Is(span(context), left, context.NOT() != null, pattern(context.pattern()));
        }
        if (context.range().size() == 1) {
            return left;
        }
        Expression right = range(context.range(1));
        if (context.SHOWS() != null) {
            return new Expression.Shows(span(context), left, right);
        }
        Token operator = ((TerminalNode) context.getChild(1)).getSymbol();
        return new Expression.Binary(span(context), binary(operator), left, right);
    }

    Expression range(RangeContext context) {
        if (context.getChildCount() == 1) {
            return arithmetic((ArithmeticContext) context.getChild(0));
        }
        Expression start = arithmetic(context.arithmetic(0));
        return context.DOTDOT() == null
                ? start
                : new Expression.Range(span(context), start, arithmetic(context.arithmetic(1)));
    }

    private Expression arithmetic(ArithmeticContext context) {
        if (context.getChildCount() == 1) {
            return unary((UnaryContext) context.getChild(0));
        }
        List<Token> operators = new ArrayList<>();
        for (ParseTree child : context.children) {
            if (child instanceof TerminalNode node) {
                operators.add(node.getSymbol());
            }
        }
        return chain(context.unary().stream().map(this::unary).toList(), operators);
    }

    /** Operands and the operators between them, strongest first. */
    private Expression chain(List<Expression> operands, List<Token> operators) {
        if (tooLong(operands.size(), operands.getFirst().span())) {
            return new Expression.Malformed(operands.getFirst().span());
        }
        List<Expression> values = new ArrayList<>(List.of(operands.getFirst()));
        List<BinaryOperator> waiting = new ArrayList<>();
        for (int i = 0; i < operators.size(); i++) {
            BinaryOperator operator = binary(operators.get(i));
            while (!waiting.isEmpty() && waiting.getLast().strength() >= operator.strength()) {
                reduce(values, waiting);
            }
            waiting.add(operator);
            values.add(operands.get(i + 1));
        }
        while (!waiting.isEmpty()) {
            reduce(values, waiting);
        }
        return values.getFirst();
    }

    private static void reduce(List<Expression> values, List<BinaryOperator> waiting) {
        Expression right = values.removeLast();
        Expression left = values.removeLast();
        values.add(new Expression.Binary(left.span().to(right.span()), waiting.removeLast(), left, right));
    }

    private Expression unary(UnaryContext context) {
        if (context.getChildCount() == 1) {
            return postfix((PostfixContext) context.getChild(0));
        }
        List<Token> signs = new ArrayList<>();
        for (ParseTree child : context.children) {
            if (child instanceof TerminalNode node) {
                signs.add(node.getSymbol());
            }
        }
        return signed(signs, postfix(context.postfix()));
    }

    private Expression signed(List<Token> signs, Expression operand) {
        if (tooLong(signs.size(), operand.span())) {
            return new Expression.Malformed(operand.span());
        }
        Expression value = operand;
        for (Token sign : signs.reversed()) {
            UnaryOperator operator = switch (sign.getType()) {
                case MINUS -> UnaryOperator.NEGATE;
                case TILDE -> UnaryOperator.COMPLEMENT;
                default -> UnaryOperator.NOT;
            };
            value = new Expression.Unary(span(sign).to(value.span()), operator, value);
        }
        return value;
    }

    private Expression postfix(PostfixContext context) {
        if (context.getChildCount() == 1) {
            return primary((PrimaryContext) context.getChild(0));
        }
        Expression value = primary(context.primary());
        if (tooLong(context.suffix().size(), value.span())) {
            return new Expression.Malformed(value.span());
        }
        for (SuffixContext suffix : context.suffix()) {
            Span span = value.span().to(span(suffix));
            if (suffix.DOT() != null) {
                Identifier name =
                        new Identifier(span(suffix.word()), suffix.word().getText());
                value = new Expression.Member(span, value, name);
            } else if (suffix.INDEX_OPEN() != null) {
                value = new Expression.Index(span, value, expression(suffix.expression()));
            } else {
                value = new Expression.Call(
                        span,
                        value,
                        suffix.callArgument().stream().map(this::callArgument).toList());
            }
        }
        return value;
    }

    private Expression.Argument callArgument(CallArgumentContext context) {
        Optional<Identifier> name = Optional.ofNullable(context.KEY()).map(this::identifier);
        return new Expression.Argument(span(context), name, expression(context.expression()));
    }

    private Expression primary(PrimaryContext context) {
        Token token = context.getStart();
        Span span = span(context);
        return switch (token.getType()) {
            case NUMBER -> number(token);
            case STRING, BLOCK -> text(token);
            case TAGGED -> bytes(token);
            case TRUE -> new Expression.Bool(span, true);
            case FALSE -> new Expression.Bool(span, false);
            case NAME -> new Expression.Name(span, token.getText());
            case LPAREN -> new Expression.Parenthesized(span, invocation(context.invocation()));
            case LBRACK ->
                new Expression.Items(
                        span,
                        context.expression().stream().map(this::expression).toList());
            default -> new Expression.Fields(span, fields(context));
        };
    }

    private List<Expression.Field> fields(PrimaryContext context) {
        Set<String> seen = new HashSet<>();
        List<Expression.Field> fields = new ArrayList<>();
        for (FieldContext field : context.field()) {
            Token key = field.KEY().getSymbol();
            String name = key.getText().startsWith("\"") ? text(key).value() : key.getText();
            if (!seen.add(name)) {
                problems.add(Diagnostic.of(
                        "E0212", span(key), "`" + name + "` is given twice", "it already has a value in this record"));
            }
            fields.add(
                    new Expression.Field(span(field), new Identifier(span(key), name), expression(field.expression())));
        }
        return fields;
    }

    private Expression number(Token token) {
        Numeral numeral = Numeral.read(token.getText());
        numeral.fault().ifPresent(fault -> report(token, fault));
        return new Expression.Int(span(token), numeral.value(), token.getText());
    }

    void report(Token token, Numeral.Fault fault) {
        problems.add(Diagnostic.of(fault.code(), span(token), fault.message(), fault.reason())
                .help(fault.help()));
    }

    private Expression bytes(Token token) {
        String text = token.getText();
        int quote = text.indexOf('"');
        String tag = text.substring(0, quote);
        String digits = text.substring(quote + 1, text.length() - 1)
                .replace(" ", "")
                .replace("_", "")
                .toLowerCase(Locale.ROOT);
        int length = switch (tag) {
            case "hex" -> -1;
            case "sha256" -> 64;
            case "sha384" -> 96;
            case "sha512" -> 128;
            default -> {
                Diagnostic unknown = Diagnostic.of(
                        "E0108",
                        source.span(token.getStartIndex(), token.getStartIndex() + quote),
                        "`" + tag + "` is not a kind of byte string",
                        "unknown kind");
                List<String> kinds = List.of("hex", "sha256", "sha384", "sha512");
                problems.add(unknown.help(Spelling.nearest(tag, kinds)
                        .map(kind -> "did you mean `" + kind + "`?")
                        .orElse("the kinds are hex, sha256, sha384 and sha512")));
                yield -1;
            }
        };
        String reason = "";
        if (!digits.chars().allMatch(HexFormat::isHexDigit)) {
            reason = "only hexadecimal digits, spaces and `_` may stand in it";
        } else if (digits.length() % 2 != 0) {
            reason = "a byte has two digits, and here is an odd number of them";
        } else if (length >= 0 && digits.length() != length) {
            reason = tag + " has " + length + " digits, and here are " + digits.length();
        }
        if (!reason.isEmpty()) {
            problems.add(Diagnostic.of("E0109", span(token), "malformed byte string", reason));
            return new Expression.Malformed(span(token));
        }
        return new Expression.Bytes(span(token), tag, digits);
    }

    private static BinaryOperator binary(Token token) {
        return switch (token.getType()) {
            case EQ -> BinaryOperator.EQUAL;
            case NE -> BinaryOperator.NOT_EQUAL;
            case LT -> BinaryOperator.LESS;
            case LE -> BinaryOperator.LESS_OR_EQUAL;
            case GT -> BinaryOperator.GREATER;
            case GE -> BinaryOperator.GREATER_OR_EQUAL;
            default -> arithmeticOperator(token);
        };
    }

    /** Arithmetic, bits and shifts. */
    static BinaryOperator arithmeticOperator(Token token) {
        return switch (token.getType()) {
            case PIPE -> BinaryOperator.BIT_OR;
            case CARET -> BinaryOperator.BIT_XOR;
            case AMP -> BinaryOperator.BIT_AND;
            case SHL -> BinaryOperator.SHIFT_LEFT;
            case SHR -> BinaryOperator.SHIFT_RIGHT;
            case PLUS -> BinaryOperator.ADD;
            case MINUS -> BinaryOperator.SUBTRACT;
            case STAR -> BinaryOperator.MULTIPLY;
            case SLASH -> BinaryOperator.DIVIDE;
            case PERCENT -> BinaryOperator.REMAINDER;
            default -> throw new IllegalStateException("no operator: " + token);
        };
    }

    Pattern outcome(OutcomeContext context) {
        List<Pattern> alternatives =
                context.pattern().stream().map(this::pattern).toList();
        return alternatives.size() == 1 ? alternatives.getFirst() : new Pattern.Either(span(context), alternatives);
    }

    private Pattern pattern(PatternContext context) {
        Pattern head = asPattern(range(context.range(0)));
        if (context.NAME().isEmpty()) {
            return head;
        }
        if (!(head instanceof Pattern.Named named)) {
            problems.add(Diagnostic.of(
                            "E0216",
                            span(context.NAME(0).getSymbol()),
                            "a value has no details",
                            "only a named outcome or state can be followed by details")
                    .help("write for example `ok left 0`"));
            return head;
        }
        List<Pattern.Field> fields = new ArrayList<>(named.fields());
        for (int i = 0; i < context.NAME().size(); i++) {
            Identifier name = identifier(context.NAME(i));
            Pattern value = asPattern(range(context.range(i + 1)));
            fields.add(new Pattern.Field(name.span().to(value.span()), name, value));
        }
        return new Pattern.Named(span(context), named.name(), named.positional(), fields);
    }

    /** The pattern that is written like {@code expression}. */
    private static Pattern asPattern(Expression expression) {
        Span span = expression.span();
        if (expression instanceof Expression.Name name) {
            return name.name().equals("_") ? new Pattern.Any(span) : named(span, name, List.of());
        }
        if (expression instanceof Expression.Call call && call.callee() instanceof Expression.Name name) {
            return named(span, name, call.arguments());
        }
        if (expression instanceof Expression.Parenthesized group) {
            if (group.inner() instanceof Expression.Binary or && or.operator() == BinaryOperator.OR) {
                List<Pattern> alternatives = new ArrayList<>();
                alternatives(or, alternatives);
                return new Pattern.Either(span, alternatives);
            }
            Pattern inner = asPattern(group.inner());
            return inner instanceof Pattern.Value ? new Pattern.Value(span, expression) : inner;
        }
        return new Pattern.Value(span, expression);
    }

    private static void alternatives(Expression expression, List<Pattern> into) {
        if (expression instanceof Expression.Binary or && or.operator() == BinaryOperator.OR) {
            alternatives(or.left(), into);
            alternatives(or.right(), into);
        } else {
            into.add(asPattern(expression));
        }
    }

    private static Pattern named(Span span, Expression.Name name, List<Expression.Argument> arguments) {
        List<Pattern> positional = new ArrayList<>();
        List<Pattern.Field> fields = new ArrayList<>();
        for (Expression.Argument argument : arguments) {
            Pattern pattern = asPattern(argument.value());
            argument.name()
                    .ifPresentOrElse(
                            field -> fields.add(new Pattern.Field(argument.span(), field, pattern)),
                            () -> positional.add(pattern));
        }
        return new Pattern.Named(span, new Identifier(name.span(), name.name()), positional, fields);
    }
}
