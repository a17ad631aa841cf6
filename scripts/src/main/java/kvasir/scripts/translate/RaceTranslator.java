package kvasir.scripts.translate;

import com.oracle.truffle.api.CallTarget;
import com.oracle.truffle.api.TruffleLanguage;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kvasir.grammar.Expression;
import kvasir.grammar.Identifier;
import kvasir.grammar.Span;
import kvasir.grammar.Statement;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Spelling;
import kvasir.scripts.explore.Bounds;
import kvasir.scripts.explore.Schedule;
import kvasir.scripts.nodes.ArgumentReadNode;
import kvasir.scripts.nodes.BlockNode;
import kvasir.scripts.nodes.ExpressionNode;
import kvasir.scripts.nodes.KvsRootNode;
import kvasir.scripts.nodes.LocalLetNode;
import kvasir.scripts.nodes.ReturnNode;
import kvasir.scripts.nodes.StatementNode;
import org.jspecify.annotations.Nullable;

/** {@code race "name" { a: ... } explore { ... } never deadlock}: each task and each condition becomes a body of its own. */
final class RaceTranslator {
    private static final int MOST_TASKS = 16;
    private static final List<String> BOUNDS =
            Stream.concat(Bounds.NAMES.stream(), Stream.of("replay")).toList();
    private static final Map<String, RaceBody.Known> KNOWN = new TreeMap<>(Map.of(
            "deadlock", RaceBody.Known.DEADLOCK,
            "livelock", RaceBody.Known.LIVELOCK,
            "lock order inversion", RaceBody.Known.LOCK_ORDER_INVERSION,
            "invariant violation", RaceBody.Known.INVARIANT_VIOLATION,
            "kvm_bug", RaceBody.Known.KVM_BUG));

    private final Context context;
    private final @Nullable TruffleLanguage<?> language;
    private final Statement.Race race;

    RaceTranslator(Context context, @Nullable TruffleLanguage<?> language, Statement.Race race) {
        this.context = context;
        this.language = language;
        this.race = race;
    }

    RaceBody translate() {
        if (race.tasks().size() < 2 || race.tasks().size() > MOST_TASKS) {
            context.report(
                    race.name().span(),
                    Refusal.of(
                            "E0322",
                            "a race has 2 to " + MOST_TASKS + " tasks",
                            "this one has " + race.tasks().size()));
        }
        List<RaceBody.Task> tasks = race.tasks().stream().map(this::task).toList();
        var clauses = new ArrayList<RaceBody.Clause>();
        for (Statement.Clause clause : race.clauses()) {
            for (Statement.Claim claim : clause.claims()) {
                claim(claim)
                        .ifPresent(known -> clauses.add(new RaceBody.Clause(claim.span(), clause.frequency(), known)));
            }
        }
        return new RaceBody(tasks, clauses, bounds(), replay());
    }

    private RaceBody.Task task(Statement.Task task) {
        FrameScope frame = new FrameScope();
        frame.push();
        var statements = new StatementTranslator(context, StatementTranslator.Body.TEST, frame);
        List<Statement> body = task.body().statements();
        var nodes = new ArrayList<StatementNode>();
        if (!body.isEmpty()) {
            nodes.addAll(statements.all(body.subList(0, body.size() - 1)));
            // the outcome of a task is that of its last operation, so that one is not checked here
            if (body.getLast() instanceof Statement.Operation last
                    && last.outcome().isEmpty()
                    && last.rows().isEmpty()) {
                ExpressionNode call = new ExpressionTranslator(context, frame).node(last.call());
                nodes.add(new ReturnNode(last.span(), call));
            } else {
                nodes.addAll(statements.all(List.of(body.getLast())));
            }
        }
        String label = task.label().text();
        return new RaceBody.Task(label, target(label, task.span(), frame, nodes));
    }

    private Optional<RaceBody.Claim> claim(Statement.Claim claim) {
        return switch (claim) {
            case Statement.Claim.Condition condition -> Optional.of(condition(condition.expression()));
            case Statement.Claim.Known known -> {
                String words = known.words().stream().map(Identifier::text).collect(Collectors.joining(" "));
                RaceBody.Known found = KNOWN.get(words.toLowerCase(Locale.ROOT));
                if (found == null) {
                    context.report(
                            known.span(),
                            Refusal.of(
                                            "E0323",
                                            "the explorer does not know `" + words + "`",
                                            "not a claim about schedules")
                                    .help(Spelling.help(words, List.copyOf(KNOWN.keySet()))));
                }
                yield Optional.ofNullable(found);
            }
        };
    }

    /** The labels are names in it: each stands for the outcome of its task. */
    private RaceBody.Condition condition(Expression expression) {
        FrameScope frame = new FrameScope();
        frame.push();
        var nodes = new ArrayList<StatementNode>();
        for (int i = 0; i < race.tasks().size(); i++) {
            Identifier label = race.tasks().get(i).label();
            int slot = frame.declare(label.text(), label.span(), Type.Plain.UNKNOWN)
                    .slot();
            nodes.add(new LocalLetNode(label.span(), slot, new ArgumentReadNode(label.span(), i)));
        }
        ExpressionNode node = new ExpressionTranslator(context, frame).condition(expression);
        nodes.add(new ReturnNode(expression.span(), node));
        return new RaceBody.Condition(target("condition", expression.span(), frame, nodes));
    }

    private Bounds bounds() {
        Bounds bounds = Bounds.DEFAULT;
        for (String name : Bounds.NAMES) {
            OptionalInt number = bound(name);
            if (number.isPresent()) {
                bounds = bounds.with(name, number.getAsInt()).orElseThrow();
            }
        }
        return bounds;
    }

    private OptionalInt bound(String name) {
        OptionalInt value = OptionalInt.empty();
        for (Statement.Line line : race.bounds()) {
            if (line.verb().text().equals(name)) {
                if (Bounds.SWITCHES.contains(name)) {
                    value = onOrOff(line);
                } else if (line.arguments().size() == 1
                        && line.arguments().getFirst() instanceof Expression.Int number
                        && number.value() >= Bounds.least(name)
                        && number.value() <= Bounds.most(name)) {
                    value = OptionalInt.of((int) number.value());
                } else {
                    context.report(
                            line.span(),
                            Refusal.of(
                                    "E0320",
                                    "`" + name + "` takes one number",
                                    Bounds.least(name) + " to " + Bounds.most(name)));
                }
            }
        }
        return value;
    }

    private OptionalInt onOrOff(Statement.Line line) {
        String word = line.arguments().size() == 1
                ? line.arguments().getFirst().span().text()
                : "";
        if (!word.equals("on") && !word.equals("off")) {
            context.report(
                    line.span(),
                    Refusal.of(
                            "E0320", "`" + line.verb().text() + "` is `on` or `off`", "it is on unless switched off"));
        }
        return OptionalInt.of(word.equals("off") ? 0 : 1);
    }

    private Optional<Schedule> replay() {
        Optional<Schedule> replay = Optional.empty();
        for (Statement.Line line : race.bounds()) {
            String verb = line.verb().text();
            if (!BOUNDS.contains(verb)) {
                context.report(
                        line.verb().span(),
                        Refusal.of(
                                        "E0320",
                                        "`" + verb + "` is no bound of a search",
                                        "there is " + String.join(", ", BOUNDS))
                                .help(Spelling.help(verb, BOUNDS)));
            } else if (verb.equals("replay")) {
                replay = line.arguments().size() == 1 && line.arguments().getFirst() instanceof Expression.Text token
                        ? Schedule.parse(token.value())
                        : Optional.empty();
                if (replay.isEmpty()) {
                    context.report(
                            line.span(),
                            Refusal.of(
                                    "E0320", "`replay` takes a schedule", "one that a search printed, as \"k1:12B\""));
                }
            }
        }
        return replay;
    }

    private CallTarget target(String name, Span span, FrameScope frame, List<StatementNode> nodes) {
        return new KvsRootNode(language, frame.build(), null, name, span, new BlockNode(span, nodes)).getCallTarget();
    }
}
