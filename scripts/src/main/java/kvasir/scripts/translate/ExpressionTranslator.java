package kvasir.scripts.translate;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import kvasir.grammar.BinaryOperator;
import kvasir.grammar.Expression;
import kvasir.grammar.Identifier;
import kvasir.grammar.Pattern;
import kvasir.grammar.Span;
import kvasir.registry.Api;
import kvasir.registry.Bytes;
import kvasir.scripts.binding.ArgumentPlan;
import kvasir.scripts.binding.Members;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Spelling;
import kvasir.scripts.binding.Values;
import kvasir.scripts.binding.Zeros;
import kvasir.scripts.nodes.ArithmeticNode;
import kvasir.scripts.nodes.CallNode;
import kvasir.scripts.nodes.ComparisonNode;
import kvasir.scripts.nodes.ExpressionNode;
import kvasir.scripts.nodes.ExtremeNode;
import kvasir.scripts.nodes.FileNode;
import kvasir.scripts.nodes.FunctionSlot;
import kvasir.scripts.nodes.GlobalReadNode;
import kvasir.scripts.nodes.IndexNode;
import kvasir.scripts.nodes.InstalledNode;
import kvasir.scripts.nodes.InvokeNode;
import kvasir.scripts.nodes.IsNode;
import kvasir.scripts.nodes.ListNode;
import kvasir.scripts.nodes.LiteralNode;
import kvasir.scripts.nodes.LocalReadNode;
import kvasir.scripts.nodes.LogicalNode;
import kvasir.scripts.nodes.MachineReadNode;
import kvasir.scripts.nodes.Matcher;
import kvasir.scripts.nodes.MemberNode;
import kvasir.scripts.nodes.RangeNode;
import kvasir.scripts.nodes.RecordNode;
import kvasir.scripts.nodes.ShowsNode;
import kvasir.scripts.nodes.UnaryNode;
import kvasir.scripts.nodes.UnknownNameNode;
import kvasir.scripts.nodes.WhyNode;
import kvasir.scripts.nodes.ZerosNode;

/** Expressions and patterns. */
final class ExpressionTranslator {
    /** Functions that every script has. */
    static final List<String> BUILT_IN = List.of(
            "file",
            "zeros",
            "tdvf",
            "ovmf",
            "multiboot",
            "linux",
            "bios",
            "initramfs",
            "installed",
            "why",
            "min",
            "max");

    /** Verbs of {@code VERB vm from IMAGE ...}. */
    private static final List<String> STARTS = List.of("launch", "boot");

    /** Words that speak to the console of the VM that was booted last. */
    private static final List<String> CONSOLE = List.of("expect", "send");

    private final Context context;
    private final FrameScope frame;

    ExpressionTranslator(Context context, FrameScope frame) {
        this.context = context;
        this.frame = frame;
    }

    /** A node and what is known about its value. */
    record Typed(ExpressionNode node, Type type) {}

    ExpressionNode node(Expression expression) {
        return typed(expression).node();
    }

    /** A node whose value must be a boolean. */
    ExpressionNode condition(Expression expression) {
        Typed typed = typed(expression);
        if (typed.type() != Type.Plain.UNKNOWN && typed.type() != Type.Plain.BOOL) {
            context.report(
                    expression.span(),
                    Refusal.of(
                            "E0401",
                            "a condition must be true or false",
                            "this is " + typed.type().words()));
        }
        return typed.node();
    }

    Typed typed(Expression expression) {
        return switch (expression) {
            case Expression.Int i -> new Typed(new LiteralNode(i.span(), i.value()), Type.Plain.U64);
            case Expression.Bool b -> new Typed(new LiteralNode(b.span(), b.value()), Type.Plain.BOOL);
            case Expression.Text t -> new Typed(new LiteralNode(t.span(), t.value()), Type.Plain.STRING);
            case Expression.Bytes b -> new Typed(new LiteralNode(b.span(), Bytes.fromHex(b.hex())), Type.Plain.BYTES);
            case Expression.Range r -> range(r);
            case Expression.Items l ->
                new Typed(
                        new ListNode(
                                l.span(), l.items().stream().map(this::node).toList()),
                        new Type.ListOf(Type.Plain.UNKNOWN));
            case Expression.Fields f ->
                new Typed(
                        new RecordNode(
                                f.span(),
                                f.fields().stream()
                                        .map(field -> field.name().text())
                                        .toList(),
                                f.fields().stream()
                                        .map(field -> node(field.value()))
                                        .toList()),
                        Type.Plain.RECORD);
            case Expression.Name n -> name(n);
            case Expression.Member m -> member(m);
            case Expression.Index i -> index(i);
            case Expression.Call c -> call(c);
            case Expression.Invoke i -> invoke(i);
            case Expression.Unary u ->
                new Typed(
                        new UnaryNode(u.span(), u.operator(), node(u.operand())),
                        u.operator() == kvasir.grammar.UnaryOperator.NOT ? Type.Plain.BOOL : Type.Plain.U64);
            case Expression.Binary b -> binary(b);
            case Expression.Is is ->
                new Typed(
                        new IsNode(is.span(), node(is.subject()), is.negated(), pattern(is.pattern())),
                        Type.Plain.BOOL);
            case Expression.Shows s ->
                new Typed(new ShowsNode(s.span(), node(s.subject()), node(s.picture())), Type.Plain.BOOL);
            case Expression.Parenthesized p -> typed(p.inner());
            case Expression.Malformed m -> new Typed(new LiteralNode(m.span(), false), Type.Plain.UNKNOWN);
        };
    }

    private Typed range(Expression.Range range) {
        Typed start = typed(range.start());
        Typed end = typed(range.end());
        expectInteger(start, range.start().span());
        expectInteger(end, range.end().span());
        return new Typed(new RangeNode(range.span(), start.node(), end.node()), Type.Plain.RANGE);
    }

    private void expectInteger(Typed operand, Span span) {
        if (operand.type() != Type.Plain.UNKNOWN && operand.type() != Type.Plain.U64) {
            context.report(
                    span,
                    Refusal.of(
                            "E0402",
                            "an integer is needed here",
                            "this is " + operand.type().words()));
        }
    }

    private Typed binary(Expression.Binary binary) {
        Typed left = typed(binary.left());
        Typed right = typed(binary.right());
        BinaryOperator operator = binary.operator();
        return switch (operator) {
            case OR, AND ->
                new Typed(
                        new LogicalNode(binary.span(), operator == BinaryOperator.AND, left.node(), right.node()),
                        Type.Plain.BOOL);
            case EQUAL, NOT_EQUAL, LESS, LESS_OR_EQUAL, GREATER, GREATER_OR_EQUAL -> {
                comparable(binary, left.type(), right.type());
                yield new Typed(
                        new ComparisonNode(binary.span(), operator, left.node(), right.node()), Type.Plain.BOOL);
            }
            case ADD ->
                new Typed(
                        new ArithmeticNode(binary.span(), operator, left.node(), right.node()),
                        left.type() == Type.Plain.U64 && right.type() == Type.Plain.U64
                                ? Type.Plain.U64
                                : Type.Plain.UNKNOWN);
            default -> {
                expectInteger(left, binary.left().span());
                expectInteger(right, binary.right().span());
                yield new Typed(new ArithmeticNode(binary.span(), operator, left.node(), right.node()), Type.Plain.U64);
            }
        };
    }

    private void comparable(Expression.Binary binary, Type left, Type right) {
        boolean plain = left instanceof Type.Plain && right instanceof Type.Plain;
        if (plain && left != right && left != Type.Plain.UNKNOWN && right != Type.Plain.UNKNOWN) {
            context.report(
                    binary.span(),
                    Refusal.of(
                                    "E0405",
                                    "values of two kinds are never equal",
                                    "these are " + left.words() + " and " + right.words())
                            .help("outcomes and states are compared with `is`"));
        }
    }

    private Typed name(Expression.Name name) {
        Optional<Typed> variable = variable(name);
        if (variable.isPresent()) {
            return variable.get();
        }
        Refusal refusal = unknown(name.name());
        context.report(name.span(), refusal);
        return new Typed(new UnknownNameNode(name.span(), refusal), Type.Plain.UNKNOWN);
    }

    /** The variable or object that {@code name} is, if it is one. */
    Optional<Typed> variable(Expression.Name name) {
        Optional<FrameScope.Local> local = frame.find(name.name());
        if (local.isPresent()) {
            return local.map(l -> new Typed(new LocalReadNode(name.span(), l.slot()), l.type()));
        }
        if (context.scope().find(name.name()).orElse(null) instanceof FileScope.Entry.Variable variable) {
            return Optional.of(new Typed(new GlobalReadNode(name.span(), variable.index()), variable.type()));
        }
        for (var global : context.machines().globals()) {
            if (global.name().equals(name.name())) {
                return Optional.of(
                        new Typed(new MachineReadNode(name.span(), name.name()), new Type.Handle(global.api())));
            }
        }
        return name.name().equals("zeros")
                ? Optional.of(new Typed(new LiteralNode(name.span(), Zeros.ZEROS), Type.Plain.ZEROS))
                : Optional.empty();
    }

    private Refusal unknown(String name) {
        if (BUILT_IN.contains(name) || context.scope().find(name).isPresent()) {
            return Refusal.of("E0306", "`" + name + "` is a function", "it is called with parentheses")
                    .help("write `" + name + "(...)`");
        }
        var names = new ArrayList<>(frame.names());
        names.addAll(context.scope().names());
        context.machines().globals().forEach(global -> names.add(global.name()));
        return Refusal.of("E0306", "unknown name `" + name + "`", "nothing is called so here")
                .help(Spelling.nearest(name, names).map(near -> "did you mean `" + near + "`?"));
    }

    private Typed member(Expression.Member member) {
        Typed object = typed(member.object());
        String name = member.name().text();
        Type type = Type.Plain.UNKNOWN;
        Optional<Api<?>> api = object.type().declaration();
        if (api.isPresent()) {
            type = checkedMember(member, api.get(), name);
        }
        return new Typed(new MemberNode(member.span(), object.node(), member.name()), type);
    }

    private Type checkedMember(Expression.Member member, Api<?> api, String name) {
        var operation = Members.operation(api, name);
        boolean property = Members.property(api, name).isPresent();
        if (!property && operation.isPresent()) {
            String label = label(member.object(), name);
            if (ArgumentPlan.of(operation.get(), label, List.of(), word -> false, List.of())
                    instanceof ArgumentPlan.Result.Refused(var refusal, var term)) {
                context.report(member.name().span(), refusal);
            }
        } else if (!property && Members.numbered(api, name).isEmpty()) {
            context.report(
                    member.name().span(),
                    Members.unknown(api, member.object().span().text(), name));
        }
        return context.types().member(api, name);
    }

    private Typed index(Expression.Index index) {
        Typed object = typed(index.object());
        Typed key = typed(index.key());
        Type type = object.type() instanceof Type.ListOf(var item) && key.type() == Type.Plain.U64
                ? item
                : Type.Plain.UNKNOWN;
        object.type()
                .declaration()
                .filter(api -> api.index().isEmpty())
                .ifPresent(api -> context.report(
                        index.span(),
                        Refusal.of(
                                "E0406",
                                index.object().span().text() + " has no entries",
                                Values.article(api.name()) + " is not indexed")));
        return new Typed(new IndexNode(index.span(), object.node(), key.node()), type);
    }

    private Typed call(Expression.Call call) {
        if (call.callee() instanceof Expression.Member member) {
            var terms = call.arguments().stream()
                    .map(argument -> new ArgumentPlan.Term(
                            argument.value() instanceof Expression.Name word ? word.name() : "",
                            argument.name().map(Identifier::text).orElse("")))
                    .toList();
            var values =
                    call.arguments().stream().map(Expression.Argument::value).toList();
            return operation(call.span(), member, terms, values);
        }
        if (call.callee() instanceof Expression.Name name && name.name().equals("linux")) {
            return linux(call, name);
        }
        if (call.callee() instanceof Expression.Name name) {
            call.arguments().stream()
                    .filter(argument -> argument.name().isPresent())
                    .forEach(argument -> context.report(
                            argument.span(),
                            Refusal.of("E0313", "functions take their arguments in order", "no name is needed")));
            return function(
                    call.span(),
                    name,
                    call.arguments().stream().map(Expression.Argument::value).toList());
        }
        context.report(call.callee().span(), Refusal.of("E0306", "this cannot be called", "not a function"));
        return new Typed(new LiteralNode(call.span(), false), Type.Plain.UNKNOWN);
    }

    private Typed invoke(Expression.Invoke invoke) {
        return switch (invoke.callee()) {
            case Expression.Member member -> {
                var terms = invoke.arguments().stream()
                        .map(argument ->
                                new ArgumentPlan.Term(argument instanceof Expression.Name word ? word.name() : "", ""))
                        .toList();
                yield operation(invoke.span(), member, terms, invoke.arguments());
            }
            case Expression.Name name ->
                start(invoke, name)
                        .map(this::invoke)
                        .orElseGet(() -> function(invoke.span(), name, invoke.arguments()));
            default -> {
                context.report(
                        invoke.callee().span(), Refusal.of("E0306", "this is no operation", "object.verb is needed"));
                yield new Typed(new LiteralNode(invoke.span(), false), Type.Plain.UNKNOWN);
            }
        };
    }

    /** {@code launch td from IMAGE ...} is {@code td.launch IMAGE ...}; {@code boot} likewise. */
    private Optional<Expression.Invoke> start(Expression.Invoke invoke, Expression.Name callee) {
        List<Expression> arguments = invoke.arguments();
        if (CONSOLE.contains(callee.name())
                && !arguments.isEmpty()
                && arguments.getFirst() instanceof Expression.Name port
                && (port.name().equals("serial") || port.name().equals("console"))) {
            return Optional.of(new Expression.Invoke(invoke.span(), ofMachine(callee), arguments));
        }
        if (!STARTS.contains(callee.name())
                || arguments.size() < 3
                || !(arguments.get(1) instanceof Expression.Name from)
                || !from.name().equals("from")) {
            return Optional.empty();
        }
        Expression vm = arguments.getFirst();
        var verb = new Expression.Member(vm.span(), vm, new Identifier(callee.span(), callee.name()));
        return Optional.of(new Expression.Invoke(invoke.span(), verb, arguments.subList(2, arguments.size())));
    }

    private Typed operation(
            Span span, Expression.Member callee, List<ArgumentPlan.Term> terms, List<Expression> values) {
        Typed object = typed(callee.object());
        var arguments = new ArrayList<Typed>();
        for (Expression value : values) {
            arguments.add(argument(value));
        }
        Optional<Api<?>> api = object.type().declaration();
        if (api.isPresent()) {
            var operation = Members.operation(api.get(), callee.name().text());
            String label = label(callee.object(), callee.name().text());
            if (operation.isEmpty()) {
                context.report(callee.name().span(), notAnOperation(api.get(), callee));
            } else {
                Set<String> variables = variables(values, arguments);
                var result = ArgumentPlan.of(operation.get(), label, terms, variables::contains, List.of());
                check(result, label, callee.name().span(), values, arguments);
            }
        } else if (object.type() != Type.Plain.UNKNOWN) {
            context.report(
                    callee.name().span(),
                    Refusal.of(
                            "E0301",
                            "`" + callee.name().text() + "` is an operation of an object",
                            "this is " + object.type().words()));
        }
        return new Typed(
                new InvokeNode(
                        span,
                        object.node(),
                        callee.name(),
                        terms,
                        arguments.stream().map(Typed::node).toList()),
                Type.Plain.UNKNOWN);
    }

    private static Refusal notAnOperation(Api<?> api, Expression.Member callee) {
        String name = callee.name().text();
        return Members.property(api, name).isPresent()
                ? Refusal.of("E0303", "`" + name + "` is a property and takes no arguments", "not an operation")
                : Members.unknown(api, callee.object().span().text(), name);
    }

    /** Whether {@code callee} is known to be an operation. */
    boolean isOperation(Expression callee) {
        return callee instanceof Expression.Member member
                && typed(member.object())
                        .type()
                        .declaration()
                        .flatMap(api -> Members.operation(api, member.name().text()))
                        .isPresent();
    }

    /** Reports what is wrong with a planned call and with the kinds of its arguments. */
    void check(ArgumentPlan.Result result, String label, Span verb, List<Expression> values, List<Typed> arguments) {
        switch (result) {
            case ArgumentPlan.Result.Refused(var refusal, var term) ->
                context.report(term < 0 ? verb : values.get(term).span(), refusal);
            case ArgumentPlan.Result.Planned(var plan) -> {
                for (ArgumentPlan.Slot slot : plan.slots()) {
                    if (slot instanceof ArgumentPlan.Slot.Evaluated(var parameter, var term)) {
                        ArgumentKinds.check(context, label, parameter, values.get(term), arguments.get(term));
                    }
                }
            }
        }
    }

    /** An argument; a bare name that is no variable may be a word, so it is not reported here. */
    Typed argument(Expression value) {
        if (value instanceof Expression.Name name) {
            return variable(name)
                    .orElseGet(() ->
                            new Typed(new UnknownNameNode(name.span(), unknown(name.name())), Type.Plain.UNKNOWN));
        }
        return typed(value);
    }

    /** The bare names among {@code values} that are variables. */
    static Set<String> variables(List<Expression> values, List<Typed> arguments) {
        var names = new java.util.HashSet<String>();
        for (int i = 0; i < values.size(); i++) {
            if (values.get(i) instanceof Expression.Name name
                    && !(arguments.get(i).node() instanceof UnknownNameNode)) {
                names.add(name.name());
            }
        }
        return names;
    }

    private static String label(Expression object, String verb) {
        return object.span().text() + "." + verb;
    }

    private Typed function(Span span, Expression.Name name, List<Expression> values) {
        if (context.scope().find(name.name()).orElse(null) instanceof FileScope.Entry.Function function) {
            count(span, name.name(), function.slot().parameters(), values.size());
            var arguments = values.stream().map(this::node).toList();
            return new Typed(new CallNode(span, function.slot(), arguments), Type.Plain.UNKNOWN);
        }
        return switch (name.name()) {
            case "file" ->
                builtIn(
                        span,
                        name,
                        values,
                        Type.Plain.BYTES,
                        nodes -> new FileNode(span, context.folder(), nodes.getFirst()));
            case "tdvf", "ovmf", "initramfs" -> image(span, name, values, false);
            case "installed" ->
                builtIn(span, name, values, Type.Plain.STRING, nodes -> new InstalledNode(span, nodes.getFirst()));
            case "multiboot", "linux", "bios" -> image(span, name, values, true);
            case "zeros" ->
                builtIn(span, name, values, Type.Plain.BYTES, nodes -> new ZerosNode(span, nodes.getFirst()));
            case "why" -> {
                context.wantHistory();
                yield builtIn(span, name, values, Type.Plain.STRING, nodes -> new WhyNode(span, nodes.getFirst()));
            }
            case "min", "max" -> {
                boolean greatest = name.name().equals("max");
                if (values.isEmpty()) {
                    count(span, name.name(), 2, 0);
                    yield new Typed(new LiteralNode(span, 0L), Type.Plain.U64);
                }
                var nodes = values.stream().map(this::node).toList();
                yield new Typed(new ExtremeNode(span, greatest, nodes), Type.Plain.U64);
            }
            default -> {
                context.report(name.span(), unknownVerb(name.name()));
                yield new Typed(new LiteralNode(span, false), Type.Plain.UNKNOWN);
            }
        };
    }

    /** {@code linux(NAME, initrd: NAME, ...)} is {@code machine.linux(file(NAME), initrd: file(NAME), ...)}. */
    private Typed linux(Expression.Call call, Expression.Name name) {
        var arguments = new ArrayList<Expression.Argument>();
        for (Expression.Argument argument : call.arguments()) {
            boolean path = argument.name().isEmpty()
                    || argument.name().get().text().equals("initrd") && argument.value() instanceof Expression.Text;
            arguments.add(
                    path
                            ? new Expression.Argument(argument.span(), argument.name(), content(argument.value()))
                            : argument);
        }
        return call(new Expression.Call(call.span(), ofMachine(name), List.copyOf(arguments)));
    }

    private static Expression.Member ofMachine(Expression.Name name) {
        var machine = new Expression.Name(name.span(), "machine");
        return new Expression.Member(name.span(), machine, new Identifier(name.span(), name.name()));
    }

    private static Expression.Call content(Expression path) {
        Span at = path.span();
        return new Expression.Call(
                at, new Expression.Name(at, "file"), List.of(new Expression.Argument(at, Optional.empty(), path)));
    }

    /**
     * {@code tdvf(NAME)} is {@code machine.tdvf(file(NAME))}; {@code ovmf} likewise.
     *
     * @param named whether the operation is told the name of the file, too
     */
    private Typed image(Span span, Expression.Name name, List<Expression> values, boolean named) {
        count(span, name.name(), 1, values.size());
        if (values.size() != 1) {
            return new Typed(new LiteralNode(span, false), Type.Plain.UNKNOWN);
        }
        var member = ofMachine(name);
        Expression path = values.getFirst();
        Span at = path.span();
        Expression.Call content = content(path);
        var arguments = new ArrayList<Expression.Argument>();
        arguments.add(new Expression.Argument(at, Optional.empty(), content));
        if (named) {
            arguments.add(new Expression.Argument(at, Optional.of(new Identifier(at, "name")), path));
        }
        return call(new Expression.Call(span, member, List.copyOf(arguments)));
    }

    private Typed builtIn(
            Span span,
            Expression.Name name,
            List<Expression> values,
            Type type,
            java.util.function.Function<List<ExpressionNode>, ExpressionNode> node) {
        count(span, name.name(), 1, values.size());
        return values.isEmpty()
                ? new Typed(new LiteralNode(span, false), Type.Plain.UNKNOWN)
                : new Typed(node.apply(values.stream().map(this::node).toList()), type);
    }

    private void count(Span span, String name, int wanted, int given) {
        if (wanted != given && wanted != FunctionSlot.ANY) {
            context.report(
                    span,
                    Refusal.of(
                            "E0313",
                            name + " takes " + wanted + (wanted == 1 ? " argument" : " arguments"),
                            given + " given"));
        }
    }

    private Refusal unknownVerb(String name) {
        var names = new ArrayList<>(StatementTranslator.KEYWORDS);
        names.addAll(BUILT_IN);
        names.addAll(context.scope().names());
        return Refusal.of("E0306", "`" + name + "` is no statement and no function", "nothing is called so here")
                .help(Spelling.nearest(name, names).map(near -> "did you mean `" + near + "`?"));
    }

    Matcher pattern(Pattern pattern) {
        return switch (pattern) {
            case Pattern.Any any -> new Matcher.Any(any.span());
            case Pattern.Value value -> new Matcher.Equal(value.span(), node(value.expression()));
            case Pattern.Either either ->
                new Matcher.Either(
                        either.span(),
                        either.alternatives().stream().map(this::pattern).toList());
            case Pattern.Named named -> named(named);
        };
    }

    private Matcher named(Pattern.Named named) {
        if (named.positional().isEmpty() && named.fields().isEmpty()) {
            var variable = variable(
                    new Expression.Name(named.name().span(), named.name().text()));
            if (variable.isPresent()) {
                return new Matcher.Equal(named.span(), variable.get().node());
            }
        }
        return new Matcher.Named(
                named.span(),
                named.name().text(),
                named.positional().stream().map(this::pattern).toList(),
                named.fields().stream().map(field -> field.name().text()).toList(),
                named.fields().stream().map(field -> pattern(field.pattern())).toList());
    }
}
