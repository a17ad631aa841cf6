package kvasir.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Supplier;

/** Makes up scripts: every seed gives one legal tree. Spans mean nothing in it. */
final class ProgramGenerator {
    private static final Span NOWHERE = new SourceFile("", "").span(0, 0);
    private static final List<String> NAMES =
            List.of("td", "vcpu0", "map_memory", "x", "_y1", "leaf", "EINVAL", "ok", "from", "step", "v6", "K");
    private static final List<String> NUMBERS =
            List.of("0", "1", "4K", "0x1000", "0b1_01", "2M", "0xffff_ffff_ffff_ffff", "7T", "0010");
    private static final List<String> TEXTS = List.of(
            "", "a", "tab\tquote\" back\\ line\nend", "größe \uD83D\uDE00 \u0001 \u2028", "// no comment", "{ } ( [");
    private static final List<String> BLOCKS = List.of("", "a", "a\n  b\n\nc", "quote \" \\n \"\" x", "\na", "a\n\n");
    private static final List<String> SEMANTICS = List.of("sean", "rfc-v2", "v6.16", "v6.18-rc1", "v6.18.2", "custom");

    private final Random random;
    private int tests;

    ProgramGenerator(long seed) {
        random = new Random(seed);
    }

    Script script() {
        return new Script(NOWHERE, list(1, 6, () -> statement(3, true)));
    }

    private <T> T pick(List<T> from) {
        return from.get(random.nextInt(from.size()));
    }

    private boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    private <T> List<T> list(int least, int most, Supplier<T> item) {
        List<T> items = new ArrayList<>();
        int count = least + random.nextInt(most - least + 1);
        for (int i = 0; i < count; i++) {
            items.add(item.get());
        }
        return items;
    }

    private Identifier identifier() {
        return new Identifier(NOWHERE, pick(NAMES));
    }

    private Identifier unique(String stem, int number) {
        return new Identifier(NOWHERE, stem + number);
    }

    private Expression.Text string() {
        return new Expression.Text(NOWHERE, pick(TEXTS), false);
    }

    private SemanticsName semantics(int number) {
        return new SemanticsName(NOWHERE, SEMANTICS.get(number % SEMANTICS.size()));
    }

    private List<SemanticsName> semanticsList() {
        int first = random.nextInt(SEMANTICS.size());
        List<SemanticsName> names = new ArrayList<>();
        for (int i = 0; i <= random.nextInt(3); i++) {
            names.add(semantics(first + i));
        }
        return names;
    }

    private Statement.Block block(int depth) {
        return new Statement.Block(NOWHERE, list(0, 3, () -> statement(depth - 1, false)));
    }

    private Statement statement(int depth, boolean top) {
        if (top && chance(50)) {
            return topStatement(depth);
        }
        return switch (random.nextInt(depth > 0 ? 13 : 8)) {
            case 0 -> new Statement.Let(NOWHERE, identifier(), invocation(depth));
            case 1 -> new Statement.Assign(NOWHERE, postfix(depth, false), invocation(depth));
            case 2 -> new Statement.Assert(NOWHERE, expression(depth));
            case 3 -> new Statement.Show(NOWHERE, invocation(depth));
            case 4, 5, 6 -> operation(depth);
            case 7 -> new Statement.Vm(NOWHERE, identifier(), identifier(), list(0, 3, () -> line(depth)));
            case 8 -> new Statement.On(NOWHERE, semanticsList(), block(depth));
            case 9 ->
                new Statement.For(
                        NOWHERE,
                        identifier(),
                        range(depth),
                        chance(50) ? Optional.of(range(depth)) : Optional.empty(),
                        block(depth));
            case 10 ->
                new Statement.If(
                        NOWHERE,
                        list(1, 3, () -> new Statement.Branch(NOWHERE, expression(depth), block(depth))),
                        chance(50) ? Optional.of(block(depth)) : Optional.empty());
            case 11 -> race(depth);
            default -> new Statement.Guest(NOWHERE, identifier(), 16 << random.nextInt(3), list(0, 8, this::assembly));
        };
    }

    private Statement topStatement(int depth) {
        return switch (random.nextInt(6)) {
            case 0 -> new Statement.Semantics(NOWHERE, semanticsList());
            case 1 -> new Statement.CustomSemantics(NOWHERE, semantics(0), semantics(2), list(0, 3, () -> line(depth)));
            case 2 -> {
                int parameters = random.nextInt(3);
                List<Identifier> names = new ArrayList<>();
                for (int i = 0; i < parameters; i++) {
                    names.add(unique("p", i));
                }
                Statement last =
                        new Statement.Return(NOWHERE, chance(70) ? Optional.of(invocation(depth)) : Optional.empty());
                List<Statement> body = new ArrayList<>(list(1, 3, () -> statement(depth - 1, false)));
                body.add(last);
                yield new Statement.Function(NOWHERE, identifier(), names, new Statement.Block(NOWHERE, body));
            }
            case 3 -> new Statement.Test(NOWHERE, new Expression.Text(NOWHERE, "t" + tests++, false), block(depth));
            case 4 -> new Statement.Setup(NOWHERE, block(depth));
            default ->
                new Statement.Import(
                        NOWHERE,
                        list(0, 2, () -> new Statement.ImportedName(NOWHERE, identifier(), identifier())),
                        string());
        };
    }

    private Statement.Line line(int depth) {
        return new Statement.Line(NOWHERE, identifier(), list(0, 3, () -> argument(depth)));
    }

    private Statement operation(int depth) {
        Expression call = chance(60)
                ? new Expression.Invoke(NOWHERE, postfix(depth, true), list(1, 3, () -> argument(depth)))
                : new Expression.Member(NOWHERE, postfix(depth, true), identifier());
        return new Statement.Operation(
                NOWHERE,
                call,
                chance(40) ? Optional.of(outcome(depth)) : Optional.empty(),
                chance(30)
                        ? list(1, 2, () -> new Statement.OutcomeRow(NOWHERE, semanticsList(), outcome(depth)))
                        : List.of());
    }

    private Statement race(int depth) {
        List<Statement.Task> tasks = new ArrayList<>();
        for (int i = 0; i < 1 + random.nextInt(3); i++) {
            List<Statement> body = list(2, 3, () -> operation(0));
            tasks.add(new Statement.Task(NOWHERE, unique("task", i), new Statement.Block(NOWHERE, body)));
        }
        return new Statement.Race(
                NOWHERE,
                string(),
                tasks,
                list(0, 2, () -> line(0)),
                list(
                        0,
                        3,
                        () -> new Statement.Clause(
                                NOWHERE, pick(List.of(Statement.Frequency.values())), list(1, 2, () -> claim(depth)))));
    }

    private Statement.Claim claim(int depth) {
        return chance(50)
                ? new Statement.Claim.Known(NOWHERE, list(1, 3, this::identifier))
                : new Statement.Claim.Condition(
                        NOWHERE,
                        new Expression.Is(NOWHERE, postfix(depth, true), chance(30), namedPattern(depth, true)));
    }

    private Expression invocation(int depth) {
        return chance(25)
                ? new Expression.Invoke(NOWHERE, postfix(depth, true), list(1, 2, () -> argument(depth)))
                : expression(depth);
    }

    /** What may follow a verb: no minus in front, no comparison. */
    private Expression argument(int depth) {
        Expression start = chance(70)
                ? postfixOrLiteral(depth)
                : new Expression.Binary(
                        NOWHERE, BinaryOperator.ADD, postfixOrLiteral(depth), binary(depth, BinaryOperator.MULTIPLY));
        return chance(30) ? new Expression.Range(NOWHERE, start, binary(depth, BinaryOperator.BIT_OR)) : start;
    }

    private Expression expression(int depth) {
        return switch (random.nextInt(depth > 0 ? 7 : 3)) {
            case 0 -> comparison(depth - 1);
            case 1 -> new Expression.Unary(NOWHERE, UnaryOperator.NOT, comparison(depth - 1));
            case 2 -> range(depth - 1);
            case 3 ->
                new Expression.Binary(
                        NOWHERE,
                        BinaryOperator.OR,
                        chance(50) ? comparison(depth - 1) : conjunction(depth - 1),
                        conjunction(depth - 1));
            default -> conjunction(depth - 1);
        };
    }

    private Expression conjunction(int depth) {
        return new Expression.Binary(NOWHERE, BinaryOperator.AND, comparison(depth), comparison(depth));
    }

    private Expression comparison(int depth) {
        return switch (random.nextInt(4)) {
            case 0 -> new Expression.Is(NOWHERE, range(depth), chance(30), pattern(depth, true));
            case 1 ->
                new Expression.Shows(NOWHERE, postfix(depth, false), new Expression.Text(NOWHERE, pick(BLOCKS), true));
            case 2 -> range(depth);
            default ->
                new Expression.Binary(
                        NOWHERE,
                        pick(List.of(BinaryOperator.EQUAL, BinaryOperator.LESS, BinaryOperator.GREATER_OR_EQUAL)),
                        range(depth),
                        range(depth));
        };
    }

    private Expression range(int depth) {
        Expression start = binary(depth, BinaryOperator.BIT_OR);
        return chance(25) ? new Expression.Range(NOWHERE, start, binary(depth, BinaryOperator.BIT_OR)) : start;
    }

    /** A chain of operators no weaker than {@code weakest}. */
    private Expression binary(int depth, BinaryOperator weakest) {
        if (depth <= 0 || chance(40)) {
            return unary(depth);
        }
        List<BinaryOperator> operators = List.of(BinaryOperator.values()).stream()
                .filter(each -> each.strength() >= weakest.strength() && each.strength() > 5)
                .toList();
        BinaryOperator operator = pick(operators);
        List<BinaryOperator> stronger = operators.stream()
                .filter(each -> each.strength() > operator.strength())
                .toList();
        Expression right = stronger.isEmpty() ? unary(depth - 1) : binary(depth - 1, stronger.getFirst());
        return new Expression.Binary(NOWHERE, operator, binary(depth - 1, operator), right);
    }

    private Expression unary(int depth) {
        return chance(15)
                ? new Expression.Unary(
                        NOWHERE, pick(List.of(UnaryOperator.NEGATE, UnaryOperator.COMPLEMENT)), unary(depth - 1))
                : postfixOrLiteral(depth);
    }

    private Expression postfixOrLiteral(int depth) {
        return chance(50) ? postfix(depth, false) : literal(depth);
    }

    private Expression literal(int depth) {
        return switch (random.nextInt(depth > 0 ? 8 : 5)) {
            case 0, 1 -> number();
            case 2 -> new Expression.Bool(NOWHERE, chance(50));
            case 3 -> string();
            case 4 -> new Expression.Bytes(NOWHERE, "hex", pick(List.of("", "00", "0f0b")));
            case 5 -> new Expression.Items(NOWHERE, list(0, 3, () -> expression(depth - 1)));
            case 6 -> {
                List<Expression.Field> fields = new ArrayList<>();
                for (int i = 0; i < 1 + random.nextInt(3); i++) {
                    Identifier name = chance(20) ? unique("not a name ", i) : unique("f", i);
                    fields.add(new Expression.Field(NOWHERE, name, expression(depth - 1)));
                }
                yield new Expression.Fields(NOWHERE, fields);
            }
            default -> new Expression.Parenthesized(NOWHERE, invocation(depth - 1));
        };
    }

    private Expression number() {
        String text = pick(NUMBERS);
        return new Expression.Int(NOWHERE, Numeral.read(text).value(), text);
    }

    /** @param callable whether arguments may follow it */
    private Expression postfix(int depth, boolean callable) {
        Expression value = new Expression.Name(NOWHERE, pick(NAMES));
        for (int i = random.nextInt(3); i > 0; i--) {
            value = switch (random.nextInt(depth > 0 ? 4 : 1)) {
                case 0 -> new Expression.Member(NOWHERE, value, identifier());
                case 1 -> new Expression.Member(NOWHERE, value, new Identifier(NOWHERE, pick(Reserved.words())));
                case 2 -> new Expression.Index(NOWHERE, value, expression(depth - 1));
                default ->
                    new Expression.Call(
                            NOWHERE,
                            value,
                            list(
                                    0,
                                    2,
                                    () -> new Expression.Argument(
                                            NOWHERE,
                                            chance(30) ? Optional.of(identifier()) : Optional.empty(),
                                            expression(depth - 1))));
            };
        }
        boolean assignable = !(value instanceof Expression.Call);
        return assignable || callable ? value : new Expression.Member(NOWHERE, value, identifier());
    }

    private Pattern outcome(int depth) {
        return chance(25) ? new Pattern.Either(NOWHERE, list(2, 3, () -> pattern(depth, true))) : pattern(depth, true);
    }

    /** @param last whether fields may follow the name: not within parentheses */
    private Pattern pattern(int depth, boolean last) {
        return switch (random.nextInt(depth > 0 ? 6 : 4)) {
            case 0 -> new Pattern.Any(NOWHERE);
            case 1 -> new Pattern.Value(NOWHERE, number());
            case 2 -> new Pattern.Value(NOWHERE, new Expression.Range(NOWHERE, number(), unary(depth - 1)));
            case 3, 4 -> namedPattern(depth, last);
            default -> new Pattern.Either(NOWHERE, list(2, 3, () -> pattern(depth - 1, false)));
        };
    }

    private Pattern.Named namedPattern(int depth, boolean last) {
        List<Pattern> positional = depth > 0 && chance(50) ? list(1, 2, () -> pattern(depth - 1, false)) : List.of();
        List<Pattern.Field> fields = last || !positional.isEmpty()
                ? list(0, 2, () -> new Pattern.Field(NOWHERE, identifier(), pattern(depth - 1, false)))
                : List.of();
        return new Pattern.Named(NOWHERE, identifier(), positional, fields);
    }

    private Assembly assembly() {
        return switch (random.nextInt(7)) {
            case 0 -> new Assembly.Label(NOWHERE, new Identifier(NOWHERE, pick(List.of("start", ".loop", "_a@b"))));
            case 1 -> new Assembly.Data(NOWHERE, 1 << random.nextInt(4), list(1, 3, () -> value(1)));
            case 2 -> new Assembly.Times(NOWHERE, value(1), instruction());
            case 3 -> new Assembly.Equ(NOWHERE, new Identifier(NOWHERE, "size"), value(1));
            case 4 -> chance(50) ? new Assembly.Align(NOWHERE, value(0)) : new Assembly.Org(NOWHERE, value(0));
            default -> instruction();
        };
    }

    private Assembly instruction() {
        List<Identifier> prefixes = list(0, 1, () -> new Identifier(NOWHERE, pick(List.of("lock", "rep", "REPNE"))));
        Identifier mnemonic = new Identifier(NOWHERE, pick(List.of("mov", "hlt", "vpxor", "test", "let")));
        return new Assembly.Instruction(NOWHERE, prefixes, mnemonic, list(0, 3, this::operand));
    }

    private Assembly.Operand operand() {
        Optional<Assembly.Size> size =
                chance(20) ? Optional.of(pick(List.of(Assembly.Size.values()))) : Optional.empty();
        Optional<Assembly.Distance> distance =
                chance(10) ? Optional.of(pick(List.of(Assembly.Distance.values()))) : Optional.empty();
        return switch (random.nextInt(4)) {
            case 0 -> new Assembly.Operand.FarPointer(NOWHERE, size, distance, value(1), value(1));
            case 1 -> {
                Optional<Identifier> segment =
                        chance(30) ? Optional.of(new Identifier(NOWHERE, "es")) : Optional.empty();
                yield new Assembly.Operand.Memory(NOWHERE, size, distance, segment, chance(20), value(2));
            }
            default -> new Assembly.Operand.Plain(NOWHERE, size, distance, value(2));
        };
    }

    private Assembly.Value value(int depth) {
        return switch (random.nextInt(depth > 0 ? 8 : 5)) {
            case 0 -> new Assembly.Value.Constant(NOWHERE, 0x1f, pick(List.of("0x1f", "1fh", "31")));
            case 1 -> new Assembly.Value.Here(NOWHERE);
            case 2 -> new Assembly.Value.Start(NOWHERE);
            case 3 -> new Assembly.Value.Text(NOWHERE, pick(TEXTS));
            case 4 -> new Assembly.Value.Symbol(NOWHERE, pick(List.of("rax", ".loop", "st(1)", "$x".substring(1))));
            case 5 -> new Assembly.Value.Parenthesized(NOWHERE, value(depth - 1));
            case 6 ->
                new Assembly.Value.Unary(
                        NOWHERE, pick(List.of(UnaryOperator.NEGATE, UnaryOperator.COMPLEMENT)), value(0));
            default ->
                new Assembly.Value.Binary(
                        NOWHERE,
                        pick(List.of(BinaryOperator.ADD, BinaryOperator.MULTIPLY, BinaryOperator.BIT_AND)),
                        value(0),
                        value(0));
        };
    }
}
