package kvasir.scripts.translate;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import kvasir.grammar.Expression;
import kvasir.grammar.Identifier;
import kvasir.grammar.SemanticsName;
import kvasir.grammar.Span;
import kvasir.grammar.Statement;
import kvasir.scripts.binding.Nothing;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Spelling;
import kvasir.scripts.nodes.AnswerNode;
import kvasir.scripts.nodes.AspectNode;
import kvasir.scripts.nodes.AssertNode;
import kvasir.scripts.nodes.AssignNode;
import kvasir.scripts.nodes.BlockNode;
import kvasir.scripts.nodes.ExpressionNode;
import kvasir.scripts.nodes.ForNode;
import kvasir.scripts.nodes.GlobalLetNode;
import kvasir.scripts.nodes.IfNode;
import kvasir.scripts.nodes.InvariantsNode;
import kvasir.scripts.nodes.LiteralNode;
import kvasir.scripts.nodes.LocalLetNode;
import kvasir.scripts.nodes.Matcher;
import kvasir.scripts.nodes.MemberNode;
import kvasir.scripts.nodes.OnNode;
import kvasir.scripts.nodes.OperationNode;
import kvasir.scripts.nodes.ReturnNode;
import kvasir.scripts.nodes.ShowNode;
import kvasir.scripts.nodes.StatementNode;

/** Statements of one body. What the parser has refused already, because it is out of place, is left out here. */
final class StatementTranslator {
    /** The words that statements begin with. */
    static final List<String> KEYWORDS = List.of(
            "semantics",
            "vm",
            "guest",
            "let",
            "fn",
            "return",
            "test",
            "setup",
            "on",
            "assert",
            "race",
            "show",
            "for",
            "if",
            "import",
            "launch",
            "boot",
            "answer",
            "invariants");

    /** What kind of body it is, which decides what may stand in it. */
    enum Body {
        TOP_LEVEL,
        SETUP,
        TEST,
        FUNCTION,
        CONVERSATION
    }

    private final Context context;
    private final Body body;
    private final FrameScope frame;
    private final ExpressionTranslator expressions;
    private final VmTranslator vms;

    /** @param frame the names of the body; its blocks hold none that belong to the top level */
    StatementTranslator(Context context, Body body, FrameScope frame) {
        this.context = context;
        this.body = body;
        this.frame = frame;
        this.expressions = new ExpressionTranslator(context, frame);
        this.vms = new VmTranslator(context, frame, expressions);
    }

    /** The statements in order, in the names of the body itself. */
    List<StatementNode> all(List<Statement> statements) {
        var nodes = new ArrayList<StatementNode>();
        for (Statement statement : statements) {
            one(statement).ifPresent(nodes::add);
        }
        return nodes;
    }

    /** A block with names of its own. */
    BlockNode block(Statement.Block block) {
        frame.push();
        try {
            return new BlockNode(block.span(), all(block.statements()));
        } finally {
            frame.pop();
        }
    }

    private Optional<StatementNode> one(Statement statement) {
        return switch (statement) {
            case Statement.Let let -> Optional.of(let(let));
            case Statement.Vm vm -> Optional.of(vm(vm));
            case Statement.Guest guest ->
                Optional.of(declare(
                        guest.span(), guest.name(), new GuestTranslator(context, expressions).declaration(guest)));
            case Statement.Assign assign -> Optional.of(assign(assign));
            case Statement.Operation operation -> Optional.of(operation(operation));
            case Statement.Assert claim ->
                Optional.of(new AssertNode(claim.span(), expressions.condition(claim.condition())));
            case Statement.Show show -> Optional.of(new ShowNode(show.span(), shown(show.subject())));
            case Statement.If branch -> Optional.of(branches(branch));
            case Statement.For loop -> Optional.of(loop(loop));
            case Statement.On on -> Optional.of(on(on));
            case Statement.Return end -> Optional.of(end(end));
            case Statement.Race race -> misplaced(race);
            case Statement.Semantics semantics when body == Body.CONVERSATION -> fixedSemantics(semantics.span());
            case Statement.Semantics semantics -> Optional.empty();
            case Statement.CustomSemantics semantics -> Optional.empty();
            case Statement.Test test -> Optional.empty();
            case Statement.Setup setup -> Optional.empty();
            case Statement.Function function -> Optional.empty();
            case Statement.Import imported -> Optional.empty();
            case Statement.Malformed malformed -> Optional.empty();
        };
    }

    private Optional<StatementNode> misplaced(Statement.Race race) {
        context.report(
                race.name().span(),
                Refusal.of(
                        "E0321",
                        "a race stands at the top level",
                        "each schedule begins with the machine as it is there"));
        return Optional.empty();
    }

    private Optional<StatementNode> fixedSemantics(Span span) {
        context.report(
                span,
                Refusal.of(
                        "E0312", "the semantics of this machine is chosen already", "a conversation has one machine"));
        return Optional.empty();
    }

    private boolean declaresGlobals() {
        return body != Body.TEST && body != Body.FUNCTION && !frame.inBlock();
    }

    private StatementNode let(Statement.Let let) {
        return declare(let.span(), let.name(), expressions.typed(let.value()));
    }

    private StatementNode vm(Statement.Vm vm) {
        return declare(vm.span(), vm.name(), vms.declaration(vm));
    }

    private StatementNode declare(Span span, Identifier name, ExpressionTranslator.Typed value) {
        if (declaresGlobals()) {
            return new GlobalLetNode(span, global(name, value.type()), value.node());
        }
        frame.here(name.text()).ifPresent(older -> twice(name, older.span()));
        return new LocalLetNode(
                span, frame.declare(name.text(), name.span(), value.type()).slot(), value.node());
    }

    private int global(Identifier name, Type type) {
        var older = context.scope().find(name.text());
        if (older.isPresent() && body != Body.CONVERSATION) {
            if (older.get() instanceof FileScope.Entry.Variable variable && context.alternative()) {
                return variable.index();
            }
            twice(name, older.get().span());
        }
        return context.scope().declare(name.text(), name.span(), type).index();
    }

    private void twice(Identifier name, Span older) {
        context.report(
                name.span(),
                Refusal.of("E0310", "`" + name.text() + "` is declared twice", "first at " + older)
                        .help("values do not change: choose another name"));
    }

    private StatementNode assign(Statement.Assign assign) {
        ExpressionNode value = expressions.node(assign.value());
        return switch (assign.target()) {
            case Expression.Member member ->
                new AssignNode(assign.span(), expressions.node(member.object()), member.name(), value);
            default -> {
                context.report(
                        assign.target().span(),
                        assign.target() instanceof Expression.Name name
                                ? Refusal.of(
                                                "E0311",
                                                "`" + name.name() + "` cannot be assigned",
                                                "values do not change")
                                        .help("a new one is declared with `let`")
                                : Refusal.of("E0311", "this cannot be assigned", "not a property of an object"));
                yield new BlockNode(assign.span(), List.of());
            }
        };
    }

    private StatementNode operation(Statement.Operation operation) {
        if (operation.call() instanceof Expression.Invoke invoke
                && invoke.callee() instanceof Expression.Name name
                && name.name().equals("answer")) {
            return answer(operation, invoke);
        }
        if (operation.call() instanceof Expression.Invoke invoke
                && invoke.callee() instanceof Expression.Name name
                && name.name().equals("invariants")
                && invoke.arguments().size() == 1
                && invoke.arguments().getFirst() instanceof Expression.Name word
                && (word.name().equals("on") || word.name().equals("off"))) {
            return new InvariantsNode(operation.span(), word.name().equals("on"));
        }
        standsForSomething(operation);
        Map<String, Integer> rows = new HashMap<>();
        var outcomes = new ArrayList<Matcher>();
        for (Statement.OutcomeRow row : operation.rows()) {
            semantics(row.semantics()).forEach(name -> rows.put(name, outcomes.size()));
            outcomes.add(expressions.pattern(row.outcome()));
        }
        return new OperationNode(
                operation.span(),
                callee(operation.call()).text(),
                expressions.node(operation.call()),
                operation.outcome().map(expressions::pattern).orElse(null),
                rows,
                outcomes,
                body == Body.CONVERSATION && !frame.inBlock()
                        ? OperationNode.Place.CONVERSATION
                        : OperationNode.Place.SCRIPT);
    }

    private StatementNode answer(Statement.Operation statement, Expression.Invoke invoke) {
        statement
                .outcome()
                .ifPresent(pattern -> context.report(
                        pattern.span(), Refusal.of("E0312", "an answer has no outcome", "not an operation")));
        return new AnswerNode(
                statement.span(),
                invoke.arguments().stream().map(expressions::node).toList());
    }

    /** A value that is neither used nor expected to be anything is a slip, most likely a missing {@code assert}. */
    private void standsForSomething(Statement.Operation operation) {
        if (body == Body.CONVERSATION
                || operation.outcome().isPresent()
                || !operation.rows().isEmpty()) {
            return;
        }
        switch (operation.call()) {
            case Expression.Is is -> alone(is.span(), "assert " + is.span().text());
            case Expression.Shows shows -> alone(shows.span(), "assert ... shows ...");
            case Expression.Binary binary ->
                alone(binary.span(), "assert " + binary.span().text());
            default -> {}
        }
    }

    private void alone(Span span, String help) {
        context.report(
                span,
                Refusal.of("E0317", "this is neither checked nor used", "its value is lost")
                        .help("to check it write `" + help + "`"));
    }

    private static Span callee(Expression call) {
        return switch (call) {
            case Expression.Invoke invoke -> invoke.callee().span();
            case Expression.Call plain -> plain.callee().span();
            default -> call.span();
        };
    }

    /**
     * {@code show td.mrtd ledger}: the word is a property of {@code td.mrtd} or, if that has none of the name, of
     * {@code td}; unless the registry has an operation {@code mrtd}.
     */
    private ExpressionNode shown(Expression subject) {
        if (subject instanceof Expression.Invoke invoke
                && invoke.arguments().stream().allMatch(argument -> argument instanceof Expression.Name)
                && !expressions.isOperation(invoke.callee())) {
            var words = invoke.arguments().stream()
                    .map(word -> new Identifier(word.span(), ((Expression.Name) word).name()))
                    .toList();
            if (words.size() == 1 && invoke.callee() instanceof Expression.Member(var span, var owner, var name)) {
                return new AspectNode(subject.span(), expressions.node(owner), name, words.getFirst());
            }
            ExpressionNode node = expressions.node(invoke.callee());
            for (Identifier word : words) {
                node = new MemberNode(subject.span(), node, word);
            }
            return node;
        }
        return expressions.node(subject);
    }

    private StatementNode branches(Statement.If branch) {
        var conditions = new ArrayList<ExpressionNode>();
        var blocks = new ArrayList<BlockNode>();
        for (Statement.Branch each : branch.branches()) {
            conditions.add(expressions.condition(each.condition()));
            blocks.add(block(each.body()));
        }
        branch.otherwise().ifPresent(block -> blocks.add(block(block)));
        return new IfNode(branch.span(), conditions, blocks);
    }

    private StatementNode loop(Statement.For loop) {
        var over = expressions.typed(loop.over());
        ExpressionNode step = loop.step().map(expressions::node).orElse(null);
        if (over.type() instanceof Type.Plain && over.type() != Type.Plain.UNKNOWN && over.type() != Type.Plain.RANGE) {
            context.report(
                    loop.over().span(),
                    Refusal.of(
                            "E0411",
                            "`for` goes over a range or a list",
                            "this is " + over.type().words()));
        }
        Type type = over.type() == Type.Plain.RANGE
                ? Type.Plain.U64
                : over.type() instanceof Type.ListOf(var item) ? item : Type.Plain.UNKNOWN;
        frame.push();
        try {
            int slot = frame.declare(loop.variable().text(), loop.variable().span(), type)
                    .slot();
            return new ForNode(loop.span(), slot, over.node(), step, block(loop.body()));
        } finally {
            frame.pop();
        }
    }

    /** At the top level the names declared in it are top-level names, so that each semantics may have its own VM. */
    private StatementNode on(Statement.On on) {
        Set<String> names = semantics(on.semantics());
        if (declaresGlobals()) {
            return context.alternatively(() -> new OnNode(
                    on.span(),
                    names,
                    new BlockNode(on.body().span(), all(on.body().statements()))));
        }
        return new OnNode(on.span(), names, block(on.body()));
    }

    private StatementNode end(Statement.Return end) {
        ExpressionNode value =
                end.value().map(expressions::node).orElseGet(() -> new LiteralNode(end.span(), Nothing.NOTHING));
        return new ReturnNode(end.span(), value);
    }

    /** The names, checked. */
    Set<String> semantics(List<SemanticsName> names) {
        var known = new LinkedHashSet<String>();
        for (SemanticsName name : names) {
            if (!context.semantics().contains(name.text())) {
                context.report(
                        name.span(),
                        Refusal.of("E0309", "unknown semantics `" + name.text() + "`", "none is called so")
                                .help(Spelling.help(name.text(), context.semantics())));
            }
            known.add(name.text());
        }
        return known;
    }
}
