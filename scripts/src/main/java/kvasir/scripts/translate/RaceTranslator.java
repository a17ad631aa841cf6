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
import kvasir.scripts.nodes.InjectNode;
import kvasir.scripts.nodes.KvsRootNode;
import kvasir.scripts.nodes.LocalLetNode;
import kvasir.scripts.nodes.ReturnNode;
import kvasir.scripts.nodes.StatementNode;
import org.jspecify.annotations.Nullable;

/** {@code race "name" { a: ... } explore { ... } never deadlock}: each task and each condition becomes a body of its own. */
final class RaceTranslator {
    private static final int MOST_TASKS = 16;
    private static final String FAULTS = "faults";
    private static final List<String> BOUNDS =
            Stream.concat(Bounds.NAMES.stream(), Stream.of(FAULTS, "replay")).toList();
    private static final Map<String, RaceBody.Known> KNOWN = new TreeMap<>(Map.of(
            "deadlock", RaceBody.Known.DEADLOCK,
            "livelock", RaceBody.Known.LIVELOCK,
            "lock order inversion", RaceBody.Known.LOCK_ORDER_INVERSION,
            "invariant violation", RaceBody.Known.INVARIANT_VIOLATION,
            "kvm_bug", RaceBody.Known.KVM_BUG));

    private final Context context;
    private final @Nullable TruffleLanguage<?> language;
    private final Statement.Race race;
    private final List<Bound> bounds;
    private final List<Identifier> faults;

    /** {@code preemptions 2}: several may share a line. */
    private record Bound(Identifier word, List<Expression> arguments, Span span) {}

    RaceTranslator(Context context, @Nullable TruffleLanguage<?> language, Statement.Race race) {
        this.context = context;
        this.language = language;
        this.race = race;
        bounds = race.bounds().stream().flatMap(line -> bounds(line).stream()).toList();
        faults = faults();
    }

    /** A word that bounds a search begins the next bound. */
    private static List<Bound> bounds(Statement.Line line) {
        var found = new ArrayList<Bound>();
        Identifier word = line.verb();
        var arguments = new ArrayList<Expression>();
        for (Expression argument : line.arguments()) {
            if (argument instanceof Expression.Name name && BOUNDS.contains(name.name())) {
                found.add(bound(word, arguments));
                word = new Identifier(name.span(), name.name());
                arguments.clear();
            } else {
                arguments.add(argument);
            }
        }
        found.add(bound(word, arguments));
        return found;
    }

    private static Bound bound(Identifier word, List<Expression> arguments) {
        Span span = arguments.isEmpty()
                ? word.span()
                : word.span().to(arguments.getLast().span());
        return new Bound(word, List.copyOf(arguments), span);
    }

    RaceBody translate() {
        int size = race.tasks().size() + faults.size();
        if (size < 2 || size > MOST_TASKS) {
            context.report(
                    race.name().span(),
                    Refusal.of("E0322", "a race has 2 to " + MOST_TASKS + " tasks", "this one has " + size));
        }
        List<RaceBody.Task> tasks = Stream.concat(
                        race.tasks().stream().map(this::task), faults.stream().map(this::fault))
                .toList();
        var clauses = new ArrayList<RaceBody.Clause>();
        for (Statement.Clause clause : race.clauses()) {
            for (Statement.Claim claim : clause.claims()) {
                claim(claim)
                        .ifPresent(known -> clauses.add(new RaceBody.Clause(claim.span(), clause.frequency(), known)));
            }
        }
        return new RaceBody(tasks, clauses, searchBounds(), replay());
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

    /** What the host does beside the tasks: each a task that is named after it. */
    private List<Identifier> faults() {
        var words = new ArrayList<Identifier>();
        for (Bound line : bounds) {
            if (line.word().text().equals(FAULTS)) {
                if (line.arguments().isEmpty()) {
                    context.report(
                            line.span(),
                            Refusal.of(
                                    "E0320",
                                    "`faults` takes what the host may do",
                                    "one or more of "
                                            + String.join(
                                                    ", ", context.machines().faults())));
                }
                line.arguments().forEach(argument -> fault(argument, words));
            }
        }
        return List.copyOf(words);
    }

    private void fault(Expression argument, List<Identifier> words) {
        List<String> known = context.machines().faults();
        if (!(argument instanceof Expression.Name word) || !known.contains(word.name())) {
            String text = argument.span().text().strip();
            context.report(
                    argument.span(),
                    Refusal.of("E0320", "no host does `" + text + "`", "there is " + String.join(", ", known))
                            .help(Spelling.help(text, known)));
        } else if (Stream.concat(race.tasks().stream().map(Statement.Task::label), words.stream())
                .anyMatch(label -> label.text().equals(word.name()))) {
            context.report(
                    word.span(),
                    Refusal.of("E0320", "there is a task `" + word.name() + "` already", "each fault happens once"));
        } else {
            words.add(new Identifier(word.span(), word.name()));
        }
    }

    private RaceBody.Task fault(Identifier word) {
        FrameScope frame = new FrameScope();
        frame.push();
        var node = new ReturnNode(word.span(), new InjectNode(word.span(), word.text()));
        return new RaceBody.Task(word.text(), target(word.text(), word.span(), frame, List.of(node)));
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
        List<Identifier> labels = Stream.concat(race.tasks().stream().map(Statement.Task::label), faults.stream())
                .toList();
        for (int i = 0; i < labels.size(); i++) {
            Identifier label = labels.get(i);
            int slot = frame.declare(label.text(), label.span(), Type.Plain.UNKNOWN)
                    .slot();
            nodes.add(new LocalLetNode(label.span(), slot, new ArgumentReadNode(label.span(), i)));
        }
        ExpressionNode node = new ExpressionTranslator(context, frame).condition(expression);
        nodes.add(new ReturnNode(expression.span(), node));
        return new RaceBody.Condition(target("condition", expression.span(), frame, nodes));
    }

    private Bounds searchBounds() {
        Bounds found = Bounds.DEFAULT;
        for (String name : Bounds.NAMES) {
            OptionalInt number = bound(name);
            if (number.isPresent()) {
                found = found.with(name, number.getAsInt()).orElseThrow();
            }
        }
        return found;
    }

    private OptionalInt bound(String name) {
        OptionalInt value = OptionalInt.empty();
        for (Bound line : bounds) {
            if (line.word().text().equals(name)) {
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

    private OptionalInt onOrOff(Bound line) {
        String word = line.arguments().size() == 1
                ? line.arguments().getFirst().span().text()
                : "";
        if (!word.equals("on") && !word.equals("off")) {
            context.report(
                    line.span(),
                    Refusal.of(
                            "E0320", "`" + line.word().text() + "` is `on` or `off`", "it is on unless switched off"));
        }
        return OptionalInt.of(word.equals("off") ? 0 : 1);
    }

    private Optional<Schedule> replay() {
        Optional<Schedule> replay = Optional.empty();
        for (Bound line : bounds) {
            String verb = line.word().text();
            if (!BOUNDS.contains(verb)) {
                context.report(
                        line.word().span(),
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
