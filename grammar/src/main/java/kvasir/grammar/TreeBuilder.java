package kvasir.grammar;

import static kvasir.grammar.KVSParser.*;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.tree.TerminalNode;

/**
 * Builds the tree out of the parser's contexts and reports what the grammar lets through on purpose. A context in which the
 * parser gave up becomes a {@code Malformed} node; the others are whole.
 */
final class TreeBuilder {
    private final Problems problems;
    private final SourceFile source;
    private final ExpressionBuilder expressions;
    private final AssemblyBuilder assembly;
    private final Set<String> tests = new HashSet<>();

    /** Where a statement stands, which decides what is legal there. */
    private enum Place {
        TOP("at the top of the script"),
        FUNCTION("in a function"),
        BLOCK("in a block");

        private final String words;

        Place(String words) {
            this.words = words;
        }
    }

    TreeBuilder(Problems problems) {
        this.problems = problems;
        this.source = problems.source();
        this.expressions = new ExpressionBuilder(problems);
        this.assembly = new AssemblyBuilder(problems, expressions);
    }

    Script script(ScriptContext context) {
        return new Script(source.span(0, source.text().length()), statements(context.statement(), Place.TOP));
    }

    private List<Statement> statements(List<StatementContext> contexts, Place place) {
        return contexts.stream().map(each -> statement(each, place)).toList();
    }

    private Statement statement(StatementContext context, Place place) {
        if (context.exception != null || context.getChildCount() == 0) {
            return new Statement.Malformed(spanOfBroken(context));
        }
        ParserRuleContext child = (ParserRuleContext) context.getChild(0);
        checkPlace(child, place);
        // By number: a switch over types is linked at run time, which costs a short script more than its parse.
        return switch (child.getRuleIndex()) {
            case RULE_semantics -> semantics((SemanticsContext) child);
            case RULE_vm -> vm((VmContext) child);
            case RULE_guest -> guest((GuestContext) child);
            case RULE_let -> let((LetContext) child);
            case RULE_function -> function((FunctionContext) child);
            case RULE_returning -> returning((ReturningContext) child);
            case RULE_test -> test((TestContext) child);
            case RULE_setup -> new Statement.Setup(span(child), block(((SetupContext) child).block(), Place.BLOCK));
            case RULE_onBlock -> onBlock((OnBlockContext) child, place);
            case RULE_assertion ->
                new Statement.Assert(span(child), expressions.expression(((AssertionContext) child).expression()));
            case RULE_race -> race((RaceContext) child);
            case RULE_show ->
                new Statement.Show(span(child), expressions.invocation(((ShowContext) child).invocation()));
            case RULE_loop -> loop((LoopContext) child, place);
            case RULE_branches -> branches((BranchesContext) child, place);
            case RULE_importing -> importing((ImportingContext) child);
            case RULE_operation -> operation((OperationContext) child);
            case RULE_stray -> stray((StrayContext) child);
            default -> throw new IllegalStateException("no statement: " + child.getText());
        };
    }

    private Statement let(LetContext context) {
        return new Statement.Let(
                span(context), identifier(context.NAME()), expressions.invocation(context.invocation()));
    }

    private Statement returning(ReturningContext context) {
        return new Statement.Return(
                span(context), Optional.ofNullable(context.invocation()).map(expressions::invocation));
    }

    private Statement onBlock(OnBlockContext context, Place place) {
        return new Statement.On(span(context), names(context.semanticsNames()), block(context.block(), place));
    }

    private Span spanOfBroken(ParserRuleContext context) {
        int start = context.getStart().getStartIndex();
        Token stop = context.getStop() == null ? context.getStart() : context.getStop();
        return source.span(start, Math.max(start, Math.min(source.text().length(), stop.getStopIndex() + 1)));
    }

    private void checkPlace(ParserRuleContext context, Place place) {
        boolean topOnly = context instanceof SemanticsContext
                || context instanceof FunctionContext
                || context instanceof TestContext
                || context instanceof SetupContext
                || context instanceof ImportingContext;
        Token first = context.getStart();
        if (topOnly && place != Place.TOP && !problems.unbalanced()) {
            problems.add(Diagnostic.of(
                            "E0211",
                            span(first),
                            "`" + first.getText() + "` is out of place",
                            "it stands " + place.words)
                    .help("move it to the top of the script"));
        }
        if (context instanceof ReturningContext && place != Place.FUNCTION) {
            problems.add(Diagnostic.of(
                    "E0211",
                    span(first),
                    "`return` is out of place",
                    "it stands " + place.words + ", not in a function"));
        }
    }

    private Statement semantics(SemanticsContext context) {
        List<SemanticsName> names =
                context.semanticsName().stream().map(this::name).toList();
        if (context.NAME() == null) {
            return new Statement.Semantics(span(context), names);
        }
        expectWord(context.NAME(), "from", Reserved.SEMANTICS);
        return new Statement.CustomSemantics(span(context), names.get(0), names.get(1), lines(context.declaration()));
    }

    /** Reports a word that stands where only {@code word} can. */
    private void expectWord(TerminalNode node, String word, Reserved statement) {
        if (!node.getText().equals(word)) {
            problems.add(Diagnostic.of(
                            "E0215",
                            span(node.getSymbol()),
                            "expected `" + word + "`, found " + Wording.quote(node.getText()),
                            "only `" + word + "` can stand here")
                    .help(
                            statement == Reserved.SEMANTICS
                                    ? "write `semantics name from name { ... }`, or commas between several names"
                                    : "did you mean `" + word + "`?"));
        }
    }

    private SemanticsName name(SemanticsNameContext context) {
        return new SemanticsName(span(context), context.getText());
    }

    private List<SemanticsName> names(SemanticsNamesContext context) {
        List<SemanticsName> names =
                context.semanticsName().stream().map(this::name).toList();
        Set<String> seen = new HashSet<>();
        for (SemanticsName name : names) {
            if (!seen.add(name.text())) {
                problems.add(duplicate(name.span(), name.text(), "it is already in this list"));
            }
        }
        return names;
    }

    private static Diagnostic duplicate(Span span, String name, String reason) {
        return Diagnostic.of("E0212", span, "`" + name + "` is given twice", reason);
    }

    private Statement vm(VmContext context) {
        return new Statement.Vm(
                span(context),
                identifier(context.NAME(0)),
                identifier(context.NAME(1)),
                context.declaration() == null ? List.of() : lines(context.declaration()));
    }

    private List<Statement.Line> lines(DeclarationContext context) {
        List<Statement.Line> lines = new ArrayList<>();
        for (LineContext line : context.line()) {
            if (line.exception != null) {
                continue;
            }
            if (line.strayInDeclaration() != null) {
                problems.add(Diagnostic.of(
                                "E0201",
                                span(line.getStart()),
                                "expected a word, found "
                                        + Wording.quote(line.getStart().getText()),
                                "no line of a declaration begins like this")
                        .help("write `verb argument argument`"));
                continue;
            }
            List<Expression> arguments =
                    line.argument().stream().map(expressions::argument).toList();
            Identifier verb = new Identifier(span(line.word()), line.word().getText());
            Span span = arguments.isEmpty()
                    ? verb.span()
                    : verb.span().to(arguments.getLast().span());
            lines.add(new Statement.Line(span, verb, arguments));
        }
        return lines;
    }

    private Statement guest(GuestContext context) {
        int bits = Integer.parseInt(context.ASM_OPEN().getText().substring(3, 5));
        return new Statement.Guest(
                span(context),
                identifier(context.NAME()),
                bits,
                context.assemblyLine().stream().map(assembly::line).toList());
    }

    private Statement function(FunctionContext context) {
        Identifier name = identifier(context.NAME(0));
        List<Identifier> parameters =
                context.NAME().stream().skip(1).map(this::identifier).toList();
        Set<String> seen = new HashSet<>();
        for (Identifier parameter : parameters) {
            if (!seen.add(parameter.text())) {
                problems.add(duplicate(parameter.span(), parameter.text(), "a parameter has this name already"));
            }
        }
        Statement.Block body;
        if (context.block() != null) {
            body = block(context.block(), Place.FUNCTION);
        } else {
            Expression value = expressions.invocation(context.invocation());
            body = new Statement.Block(value.span(), List.of(new Statement.Return(value.span(), Optional.of(value))));
        }
        return new Statement.Function(span(context), name, parameters, body);
    }

    private Statement test(TestContext context) {
        Expression.Text name = expressions.text(context.STRING().getSymbol());
        if (!tests.add(name.value())) {
            problems.add(duplicate(name.span(), name.value(), "another test has this name already"));
        }
        return new Statement.Test(span(context), name, block(context.block(), Place.BLOCK));
    }

    private Statement.Block block(BlockContext context, Place place) {
        return new Statement.Block(span(context), statements(context.statement(), place));
    }

    private Place inner(Place place) {
        return place == Place.FUNCTION ? Place.FUNCTION : Place.BLOCK;
    }

    private Statement race(RaceContext context) {
        Set<String> labels = new HashSet<>();
        List<Statement.Task> tasks = new ArrayList<>();
        for (TaskContext task : context.task()) {
            task(task).ifPresent(built -> {
                tasks.add(built);
                if (!labels.add(built.label().text())) {
                    problems.add(duplicate(
                            built.label().span(), built.label().text(), "a task of this race has this label already"));
                }
            });
        }
        return new Statement.Race(
                span(context),
                expressions.text(context.STRING().getSymbol()),
                tasks,
                context.declaration() == null ? List.of() : lines(context.declaration()),
                context.clause().stream().map(this::clause).toList());
    }

    private Optional<Statement.Task> task(TaskContext context) {
        if (context.exception != null) {
            return Optional.empty();
        }
        if (context.strayInRace() != null) {
            problems.add(Diagnostic.of(
                            "E0201",
                            span(context.getStart()),
                            "expected a label, found "
                                    + Wording.quote(context.getStart().getText()),
                            "each task of a race has a label")
                    .help("write `label: operation`"));
            return Optional.empty();
        }
        Identifier label = identifier(context.KEY());
        if (context.block() != null) {
            Statement.Block body = block(context.block(), Place.BLOCK);
            return Optional.of(new Statement.Task(label.span().to(body.span()), label, body));
        }
        Expression call = expressions.invocation(context.invocation());
        Statement only = new Statement.Operation(call.span(), call, Optional.empty(), List.of());
        return Optional.of(new Statement.Task(
                label.span().to(call.span()), label, new Statement.Block(call.span(), List.of(only))));
    }

    private Statement.Clause clause(ClauseContext context) {
        Statement.Frequency frequency = context.ALWAYS() != null
                ? Statement.Frequency.ALWAYS
                : context.NEVER() != null ? Statement.Frequency.NEVER : Statement.Frequency.SOMETIMES;
        return new Statement.Clause(
                span(context),
                frequency,
                context.invocation().stream().map(this::claim).toList());
    }

    private Statement.Claim claim(InvocationContext context) {
        List<Identifier> words = new ArrayList<>();
        if (words(context, words)) {
            return new Statement.Claim.Known(span(context), words);
        }
        if (!context.argument().isEmpty()) {
            problems.add(Diagnostic.of(
                            "E0218",
                            span(context.argument(0)),
                            "a claim is a condition or a few words",
                            "the condition should end before this")
                    .help("write for example `never deadlock, populate is EIO`"));
        }
        return new Statement.Claim.Condition(span(context), expressions.expression(context.expression()));
    }

    /** Whether the claim is nothing but names, which are added to {@code words}. */
    private boolean words(InvocationContext context, List<Identifier> words) {
        List<ParserRuleContext> parts = new ArrayList<>(List.of(context.expression()));
        parts.addAll(context.argument());
        for (ParserRuleContext part : parts) {
            if (part.getStart() != part.getStop()
                    || !Layout.isWord(part.getStart().getType())) {
                return false;
            }
            words.add(new Identifier(span(part), part.getText()));
        }
        int type = context.getStart().getType();
        return type != TRUE && type != FALSE;
    }

    private Statement loop(LoopContext context, Place place) {
        Optional<Expression> step = Optional.empty();
        if (context.expression().size() == 2) {
            expectWord(context.NAME(1), "step", Reserved.FOR);
            step = Optional.of(expressions.expression(context.expression(1)));
        }
        return new Statement.For(
                span(context),
                identifier(context.NAME(0)),
                expressions.expression(context.expression(0)),
                step,
                block(context.block(), inner(place)));
    }

    private Statement branches(BranchesContext context, Place place) {
        List<Statement.Branch> branches = new ArrayList<>();
        for (int i = 0; i < context.expression().size(); i++) {
            Expression condition = expressions.expression(context.expression(i));
            Statement.Block body = block(context.block(i), inner(place));
            branches.add(new Statement.Branch(condition.span().to(body.span()), condition, body));
        }
        Optional<Statement.Block> otherwise = context.ELSE() == null
                ? Optional.empty()
                : Optional.of(block(context.block().getLast(), inner(place)));
        return new Statement.If(span(context), branches, otherwise);
    }

    private Statement importing(ImportingContext context) {
        if (context.NAME() != null) {
            expectWord(context.NAME(), "from", Reserved.IMPORT);
        }
        List<Statement.ImportedName> names = new ArrayList<>();
        for (ImportedNameContext name : context.importedName()) {
            Identifier own = identifier(name.NAME(0));
            if (name.NAME().size() > 1) {
                expectWord(name.NAME(1), "as", Reserved.IMPORT);
            }
            names.add(new Statement.ImportedName(
                    span(name), own, identifier(name.NAME(name.NAME().size() - 1))));
        }
        return new Statement.Import(
                span(context), names, expressions.text(context.STRING().getSymbol()));
    }

    private Statement operation(OperationContext context) {
        Expression call = expressions.invocation(context.invocation(0));
        List<Statement.OutcomeRow> rows = context.row().stream().map(this::row).toList();
        if (context.ASSIGN() != null) {
            return assign(context, call);
        }
        Optional<Pattern> outcome = Optional.ofNullable(context.outcome()).map(expressions::outcome);
        boolean operation = call instanceof Expression.Invoke
                || call instanceof Expression.Call
                || call instanceof Expression.Member
                || call instanceof Expression.Name;
        if ((outcome.isPresent() || !rows.isEmpty()) && !operation) {
            problems.add(Diagnostic.of("E0206", call.span(), "only an operation has an outcome", "this is a value")
                    .help("a value is compared with `assert value is pattern`"));
        }
        return new Statement.Operation(span(context), call, outcome, rows);
    }

    private Statement assign(OperationContext context, Expression target) {
        Token first = context.getStart();
        if (target instanceof Expression.Name
                || target instanceof Expression.Member
                || target instanceof Expression.Index) {
            return new Statement.Assign(span(context), target, expressions.invocation(context.invocation(1)));
        }
        problems.add(Complaint.misspelt(source, first, first)
                .filter(each -> target instanceof Expression.Invoke)
                .orElseGet(
                        () -> Diagnostic.of("E0210", target.span(), "nothing can be assigned to this", "not a property")
                                .help("write `object.property = value`, or `==` to compare")));
        return new Statement.Malformed(span(context));
    }

    private Statement.OutcomeRow row(RowContext context) {
        return new Statement.OutcomeRow(
                span(context), names(context.semanticsNames()), expressions.outcome(context.outcome()));
    }

    private Statement stray(StrayContext context) {
        problems.add(Complaint.stray(source, context.getStart()));
        return new Statement.Malformed(span(context));
    }

    private Identifier identifier(TerminalNode node) {
        return expressions.identifier(node);
    }

    private Span span(Token token) {
        return expressions.span(token);
    }

    private Span span(ParserRuleContext context) {
        return expressions.span(context);
    }
}
