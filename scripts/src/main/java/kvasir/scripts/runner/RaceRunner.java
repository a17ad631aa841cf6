package kvasir.scripts.runner;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import kvasir.event.Events;
import kvasir.grammar.Diagnostic;
import kvasir.grammar.Span;
import kvasir.grammar.Statement.Frequency;
import kvasir.kvm.Seams;
import kvasir.metal.memory.MemoryWatch;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.registry.Outcome;
import kvasir.scripts.ExploreOptions;
import kvasir.scripts.Failure;
import kvasir.scripts.Machines;
import kvasir.scripts.RaceReport;
import kvasir.scripts.binding.Nothing;
import kvasir.scripts.explore.EndState;
import kvasir.scripts.explore.Exploration;
import kvasir.scripts.explore.Explorer;
import kvasir.scripts.explore.Scenario;
import kvasir.scripts.explore.Schedule;
import kvasir.scripts.explore.Verdict;
import kvasir.scripts.nodes.Execution;
import kvasir.scripts.nodes.Fault;
import kvasir.scripts.translate.Program;
import kvasir.scripts.translate.RaceBody;

/** Explores one race: each run in a machine of its own, made by the script's declarations and setups. */
final class RaceRunner implements Scenario {
    private static final int SCHEDULE_LINES = 60;
    private static final int REPLAYED_ENDINGS = 200;

    private final Program program;
    private final RaceBody race;
    private final String title;
    private final Span span;
    private final Machines machines;
    private final Machines.Choice choice;
    private final ExploreOptions options;
    private final Optional<Events.Listener> trace;
    private final BooleanSupplier interrupted;

    RaceRunner(
            Program program,
            Program.Test test,
            RaceBody race,
            Machines machines,
            Machines.Choice choice,
            ExploreOptions options,
            Optional<Events.Listener> trace,
            BooleanSupplier interrupted) {
        this.program = program;
        this.race = race;
        this.title = test.name();
        this.span = test.span();
        this.machines = machines;
        this.choice = choice;
        this.options = options;
        this.trace = trace;
        this.interrupted = interrupted;
    }

    private RaceRunner under(String semantics) {
        var other = new Machines.Choice(semantics, choice.seed(), choice.instructionBudget());
        return new RaceRunner(program, title, span, race, machines, other, options, Optional.empty(), interrupted);
    }

    private RaceRunner(
            Program program,
            String title,
            Span span,
            RaceBody race,
            Machines machines,
            Machines.Choice choice,
            ExploreOptions options,
            Optional<Events.Listener> trace,
            BooleanSupplier interrupted) {
        this.program = program;
        this.race = race;
        this.title = title;
        this.span = span;
        this.machines = machines;
        this.choice = choice;
        this.options = options;
        this.trace = trace;
        this.interrupted = interrupted;
    }

    /** How the search went: what it prints, the clause that does not hold if one does not, and all that was found. */
    record Result(List<String> output, Optional<Fault> fault, Optional<RaceReport> report) {}

    Result run() {
        Explorer explorer = explorer();
        Optional<Schedule> schedule = options.replay().or(race::replay);
        if (schedule.isPresent()) {
            Explorer.Replay replay = explorer.replay(schedule.get());
            return new Result(
                    List.of(RaceText.replay(title, labels(), replay, Integer.MAX_VALUE)),
                    Optional.empty(),
                    Optional.empty());
        }
        Exploration found = explorer.explore();
        List<String> elsewhere = bad(found) ? elsewhere() : List.of();
        RaceReport report = report(explorer, found, elsewhere);
        var output = List.of(report.text());
        for (int i = 0; i < race.clauses().size(); i++) {
            Optional<Fault> fault = check(explorer, found, i);
            if (fault.isPresent()) {
                return new Result(output, fault, Optional.of(report));
            }
        }
        return new Result(output, Optional.empty(), Optional.of(report));
    }

    private Explorer explorer() {
        return new Explorer(
                this, race.bounds().with(options.preemptions(), options.states()), options.shard(), interrupted);
    }

    private List<String> labels() {
        return race.tasks().stream().map(RaceBody.Task::label).toList();
    }

    private static boolean bad(Exploration found) {
        return found.outcomes().stream()
                .anyMatch(each ->
                        !(each.verdict() instanceof Verdict.Ended) || each.end().kernelBug());
    }

    /** The same race under the other semantics of a kernel, as far as the script can be set up there. */
    private List<String> elsewhere() {
        var lines = new ArrayList<String>();
        if (choice.custom().isPresent() || !options.shard().equals(kvasir.scripts.explore.Shard.ALL)) {
            return lines;
        }
        for (String semantics : machines.semantics()) {
            if (!semantics.equals(choice.semantics()) && semantics.startsWith("v") && !interrupted.getAsBoolean()) {
                lines.add(under(semantics).summary());
            }
        }
        return lines;
    }

    private String summary() {
        try {
            Exploration found = explorer().explore();
            String wrong = found.outcomes().stream()
                    .filter(each -> !(each.verdict() instanceof Verdict.Ended)
                            || each.end().kernelBug())
                    .findFirst()
                    .map(RaceText::end)
                    .orElse("clean");
            return "the same under %s: %s, %s".formatted(choice.semantics(), wrong, found.completeness());
        } catch (kvasir.scripts.nodes.ScriptException refused) {
            return "the same under %s: cannot be set up".formatted(choice.semantics());
        }
    }

    private RaceReport report(Explorer explorer, Exploration found, List<String> elsewhere) {
        var endings = new ArrayList<RaceReport.Ending>();
        for (Exploration.Distinct each : found.outcomes()) {
            Explorer.Replay replay = explorer.replay(each.witness());
            boolean drawn = endings.size() < REPLAYED_ENDINGS;
            endings.add(new RaceReport.Ending(
                    RaceText.kind(each),
                    RaceText.end(each),
                    truths(each),
                    each.counted(),
                    each.witness().token(),
                    each.witness().preemptions(),
                    drawn
                            ? replay.steps().subList(0, Math.min(replay.steps().size(), replay.repeatsFrom()))
                            : List.of()));
        }
        return new RaceReport(
                title,
                labels(),
                found.method().words(),
                found.completeness(),
                found.size(),
                found.steps(),
                found.runs(),
                options.shard().toString(),
                race.clauses().stream()
                        .map(clause -> new RaceReport.Clause(
                                clause.frequency().name().toLowerCase(Locale.ROOT),
                                clause.span().text().strip()))
                        .toList(),
                endings,
                found.lockInversion(),
                elsewhere,
                found.whyNotStates());
    }

    private List<Boolean> truths(Exploration.Distinct ending) {
        var truths = new ArrayList<Boolean>();
        for (int i = 0; i < race.clauses().size(); i++) {
            RaceBody.Claim claim = race.clauses().get(i).claim();
            truths.add(claim != RaceBody.Known.LOCK_ORDER_INVERSION && holds(claim, i, ending));
        }
        return truths;
    }

    private Optional<Fault> check(Explorer explorer, Exploration found, int index) {
        RaceBody.Clause clause = race.clauses().get(index);
        if (clause.claim() == RaceBody.Known.LOCK_ORDER_INVERSION) {
            boolean holds = clause.frequency() == Frequency.NEVER
                    ? found.lockInversion().isEmpty()
                    : found.lockInversion().isPresent();
            return holds
                    ? Optional.empty()
                    : Optional.of(fault(
                            clause,
                            found,
                            found.lockInversion()
                                    .map(locks -> "taken in opposite orders: " + String.join(", ", locks))
                                    .orElse("all locks are taken in one order"),
                            List.of()));
        }
        List<Exploration.Distinct> holding = found.outcomes().stream()
                .filter(distinct -> holds(clause.claim(), index, distinct))
                .toList();
        List<Exploration.Distinct> breaking = found.outcomes().stream()
                .filter(each -> !holding.contains(each))
                .toList();
        Optional<Exploration.Distinct> witness = switch (clause.frequency()) {
            case NEVER -> holding.stream().findFirst();
            case ALWAYS -> breaking.stream().findFirst();
            case SOMETIMES -> Optional.empty();
        };
        if (clause.frequency() == Frequency.SOMETIMES && holding.isEmpty()) {
            // a shard sees a part only: whether something ever happens is told when all are merged
            boolean whole = options.shard().count() == 1;
            return whole
                    ? Optional.of(fault(clause, found, "in no schedule that was run", List.of()))
                    : Optional.empty();
        }
        return witness.map(distinct -> {
            Schedule schedule = distinct.witness();
            Explorer.Replay replay = explorer.replay(schedule);
            return fault(
                    clause,
                    found,
                    "in %s of %s schedules: %s"
                            .formatted(
                                    distinct.counted(), Exploration.counted(found.schedules()), RaceText.end(distinct)),
                    List.of(
                            "schedule: the shortest\n" + RaceText.replay(title, labels(), replay, SCHEDULE_LINES),
                            "replay: explore { replay \"" + schedule.token() + "\" }"));
        });
    }

    private static boolean holds(RaceBody.Claim claim, int index, Exploration.Distinct distinct) {
        return switch (claim) {
            case RaceBody.Known known ->
                switch (known) {
                    case DEADLOCK -> distinct.verdict() instanceof Verdict.Deadlock;
                    case LIVELOCK -> distinct.verdict() instanceof Verdict.Livelock;
                    case INVARIANT_VIOLATION -> distinct.verdict() instanceof Verdict.Violation;
                    case KVM_BUG -> distinct.end().kernelBug();
                    case LOCK_ORDER_INVERSION ->
                        throw new IllegalStateException("a claim about all schedules together");
                };
            case RaceBody.Condition condition ->
                distinct.verdict() instanceof Verdict.Ended
                        && distinct.end().holds().get(index);
        };
    }

    private Fault fault(RaceBody.Clause clause, Exploration found, String reason, List<String> details) {
        String words = clause.frequency().name().toLowerCase(Locale.ROOT);
        var diagnostic = new Diagnostic(
                "E0504",
                clause.span(),
                "`%s %s` does not hold".formatted(words, clause.span().text().strip()),
                reason,
                Optional.empty());
        var notes = new ArrayList<String>();
        notes.add("search: " + found.completeness());
        notes.addAll(details);
        return new Fault(Failure.Kind.ASSERTION, diagnostic, notes);
    }

    @Override
    public Run begin(Seams seams) {
        Machines.World world = machines.create(choice);
        trace.ifPresent(world.events()::add);
        var execution = new Execution(world, choice.semantics(), Optional.empty(), false, text -> {}, interrupted);
        program.topLevel().call(execution);
        program.setups().forEach(setup -> setup.call(execution));
        world.seams(seams);
        return new Schedules(world, execution);
    }

    /** One machine with its tasks. */
    private final class Schedules implements Run {
        private final Machines.World world;
        private final Execution execution;
        private final Object[] arguments = new Object[race.tasks().size() + 1];

        Schedules(Machines.World world, Execution execution) {
            this.world = world;
            this.execution = execution;
            arguments[0] = execution;
        }

        @Override
        public List<Task> tasks() {
            var tasks = new ArrayList<Task>();
            for (int i = 0; i < race.tasks().size(); i++) {
                RaceBody.Task task = race.tasks().get(i);
                int at = i + 1;
                Execution own = execution.beside();
                tasks.add(new Task(task.label(), () -> {
                    Outcome outcome = outcome(task.target().call(own));
                    arguments[at] = outcome;
                    return outcome;
                }));
            }
            return tasks;
        }

        private static Outcome outcome(Object value) {
            return switch (value) {
                case Outcome outcome -> outcome;
                case Nothing nothing -> Outcome.ok();
                default -> new Outcome.Ok(Map.of("value", value));
            };
        }

        @Override
        public boolean watchesInvariants() {
            return race.clauses().stream().anyMatch(clause -> clause.claim() == RaceBody.Known.INVARIANT_VIOLATION);
        }

        @Override
        public Optional<String> violation() {
            return watchesInvariants() ? world.violation() : Optional.empty();
        }

        @Override
        public EndState end() {
            world.seams(Seams.SEQUENTIAL);
            var holds = new ArrayList<Boolean>();
            for (RaceBody.Clause clause : race.clauses()) {
                holds.add(clause.claim() instanceof RaceBody.Condition condition
                        && condition.target().call(arguments) instanceof Boolean truth
                        && truth);
            }
            return new EndState(world.kernelBug(), List.copyOf(holds));
        }

        @Override
        public void divide(int tasks, IntSupplier running) {
            world.divide(tasks, running);
        }

        @Override
        public boolean fingerprinted() {
            return world.fingerprinted();
        }

        @Override
        public long fingerprint() {
            return world.fingerprint();
        }

        @Override
        public PhysicalMemory memory() {
            return world.memory();
        }

        @Override
        public void watch(MemoryWatch watch) {
            world.memory().watch(watch);
        }

        @Override
        public void close() {
            world.close();
        }
    }
}
