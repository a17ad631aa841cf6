package kvasir.scripts.translate;

import com.oracle.truffle.api.CallTarget;
import com.oracle.truffle.api.TruffleLanguage;
import com.oracle.truffle.api.source.Source;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import kvasir.grammar.Identifier;
import kvasir.grammar.Script;
import kvasir.grammar.Span;
import kvasir.grammar.Statement;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.nodes.ArgumentReadNode;
import kvasir.scripts.nodes.BlockNode;
import kvasir.scripts.nodes.FunctionSlot;
import kvasir.scripts.nodes.KvsRootNode;
import kvasir.scripts.nodes.LocalLetNode;
import kvasir.scripts.nodes.StatementNode;
import org.jspecify.annotations.Nullable;

/** One file: heads of functions first, then the top level in order, then bodies, which may use every name of the file. */
final class UnitTranslator {
    private final Context context;
    private final @Nullable TruffleLanguage<?> language;
    private final @Nullable Source hosted;
    private final List<CallTarget> setups = new ArrayList<>();
    private final List<PendingTest> pendingTests = new ArrayList<>();
    private final Set<String> semantics = new LinkedHashSet<>();

    /** A test or a race: its body may use every name of the file, so it is translated last. */
    private record PendingTest(Statement statement, Optional<Set<String>> only) {}

    UnitTranslator(Context context, @Nullable TruffleLanguage<?> language, @Nullable Source hosted) {
        this.context = context;
        this.hosted = hosted;
        this.language = language;
    }

    Unit translate(Script script) {
        List<FunctionSlot> functions = heads(script.statements());
        FrameScope frame = new FrameScope();
        var top = new StatementTranslator(context, StatementTranslator.Body.TOP_LEVEL, frame);
        var statements = new ArrayList<StatementNode>();
        for (Statement statement : script.statements()) {
            topLevel(statement, top, statements);
        }
        CallTarget target = target(script.span().source().name(), script.span(), frame, statements);
        bodies(script.statements(), functions);
        var tests = new ArrayList<Program.Test>();
        for (PendingTest pending : pendingTests) {
            tests.add(test(pending));
        }
        return new Unit(
                context.scope(), target, setups, tests, List.copyOf(semantics), context.customs(), context.history());
    }

    /**
     * One input of a conversation.
     *
     * @param body its statements
     * @param races in it
     */
    record Talk(CallTarget body, List<Program.Test> races) {}

    /** One input of a conversation: tests in it run at once, values are printed. */
    Talk conversation(Script script) {
        List<FunctionSlot> functions = heads(script.statements());
        FrameScope frame = new FrameScope();
        var talk = new StatementTranslator(context, StatementTranslator.Body.CONVERSATION, frame);
        var statements = new ArrayList<StatementNode>();
        var races = new ArrayList<Program.Test>();
        for (Statement statement : script.statements()) {
            switch (statement) {
                case Statement.Function function -> {}
                case Statement.Import i -> statements.add(context.importing(i));
                case Statement.Race race -> races.add(test(new PendingTest(race, Optional.empty())));
                case Statement.Test test -> statements.add(talk.block(test.body()));
                case Statement.Setup setup ->
                    statements.addAll(talk.all(setup.body().statements()));
                default -> statements.addAll(talk.all(List.of(statement)));
            }
        }
        bodies(script.statements(), functions);
        return new Talk(target("input", script.span(), frame, statements), races);
    }

    private void topLevel(Statement statement, StatementTranslator top, List<StatementNode> statements) {
        switch (statement) {
            case Statement.Function function -> {}
            case Statement.Semantics names -> semantics.addAll(top.semantics(names.names()));
            case Statement.CustomSemantics custom -> semantics.addAll(CustomTranslator.declare(context, custom));
            case Statement.Import i -> statements.add(context.importing(i));
            case Statement.Setup setup -> setups.add(setup(setup));
            case Statement.Test test -> pendingTests.add(new PendingTest(test, Optional.empty()));
            case Statement.Race race -> pendingTests.add(new PendingTest(race, Optional.empty()));
            case Statement.On on
            when on.body().statements().stream().anyMatch(UnitTranslator::isTest) -> {
                Set<String> only = top.semantics(on.semantics());
                var rest = new ArrayList<Statement>();
                for (Statement inner : on.body().statements()) {
                    if (isTest(inner)) {
                        pendingTests.add(new PendingTest(inner, Optional.of(only)));
                    } else {
                        rest.add(inner);
                    }
                }
                var body = new Statement.Block(on.body().span(), rest);
                statements.addAll(top.all(List.of(new Statement.On(on.span(), on.semantics(), body))));
            }
            default -> statements.addAll(top.all(List.of(statement)));
        }
    }

    /** Names declared in a setup are top-level names, so that tests see them. */
    private CallTarget setup(Statement.Setup setup) {
        FrameScope frame = new FrameScope();
        var translator = new StatementTranslator(context, StatementTranslator.Body.SETUP, frame);
        return target("setup", setup.span(), frame, translator.all(setup.body().statements()));
    }

    private static boolean isTest(Statement statement) {
        return statement instanceof Statement.Test || statement instanceof Statement.Race;
    }

    private Program.Test test(PendingTest pending) {
        return switch (pending.statement()) {
            case Statement.Race race ->
                new Program.Test(
                        race.name().value(),
                        race.name().span(),
                        new RaceTranslator(context, language, race).translate(),
                        pending.only());
            case Statement.Test test -> {
                FrameScope frame = new FrameScope();
                var translator = new StatementTranslator(context, StatementTranslator.Body.TEST, frame);
                BlockNode block = translator.block(test.body());
                String name = test.name().value();
                CallTarget target = target(name, test.span(), frame, List.of(block));
                yield new Program.Test(name, test.name().span(), new Program.Statements(target), pending.only());
            }
            default -> throw new IllegalStateException("neither a test nor a race");
        };
    }

    private List<FunctionSlot> heads(List<Statement> statements) {
        var slots = new ArrayList<FunctionSlot>();
        for (Statement statement : statements) {
            if (statement instanceof Statement.Function function) {
                Identifier name = function.name();
                var slot = new FunctionSlot(name.text(), function.parameters().size());
                context.scope()
                        .find(name.text())
                        .filter(older -> !context.conversation())
                        .ifPresent(older -> context.report(
                                name.span(),
                                Refusal.of(
                                        "E0310",
                                        "`" + name.text() + "` is declared twice",
                                        "first at " + older.span())));
                context.scope().declare(name.text(), new FileScope.Entry.Function(name.span(), slot));
                slots.add(slot);
            }
        }
        return slots;
    }

    private void bodies(List<Statement> statements, List<FunctionSlot> slots) {
        int next = 0;
        for (Statement statement : statements) {
            if (statement instanceof Statement.Function function) {
                slots.get(next++).define(body(function));
            }
        }
    }

    private CallTarget body(Statement.Function function) {
        FrameScope frame = new FrameScope();
        frame.push();
        var nodes = new ArrayList<StatementNode>();
        for (int i = 0; i < function.parameters().size(); i++) {
            Identifier parameter = function.parameters().get(i);
            if (frame.here(parameter.text()).isPresent()) {
                context.report(
                        parameter.span(),
                        Refusal.of("E0310", "`" + parameter.text() + "` is declared twice", "a parameter already"));
            }
            int slot = frame.declare(parameter.text(), parameter.span(), Type.Plain.UNKNOWN)
                    .slot();
            nodes.add(new LocalLetNode(parameter.span(), slot, new ArgumentReadNode(parameter.span(), i)));
        }
        var translator = new StatementTranslator(context, StatementTranslator.Body.FUNCTION, frame);
        nodes.add(translator.block(function.body()));
        return target(function.name().text(), function.span(), frame, nodes);
    }

    private CallTarget target(String name, Span span, FrameScope frame, List<StatementNode> statements) {
        var block = new BlockNode(span, statements);
        return new KvsRootNode(language, frame.build(), hosted, name, span, block).getCallTarget();
    }
}
