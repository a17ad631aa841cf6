package kvasir.scripts.runner;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import kvasir.event.Events;
import kvasir.grammar.Diagnostic;
import kvasir.grammar.Span;
import kvasir.grammar.Statement.Frequency;
import kvasir.kvm.Seams;
import kvasir.registry.Outcome;
import kvasir.scripts.Failure;
import kvasir.scripts.Machines;
import kvasir.scripts.binding.Nothing;
import kvasir.scripts.explore.Exploration;
import kvasir.scripts.explore.Explorer;
import kvasir.scripts.explore.Scenario;
import kvasir.scripts.explore.Schedule;
import kvasir.scripts.explore.Verdict;
import kvasir.scripts.nodes.Execution;
import kvasir.scripts.nodes.Fault;
import kvasir.scripts.translate.Program;
import kvasir.scripts.translate.RaceBody;

/** Explores one race: each schedule in a machine of its own, made by the script's declarations and setups. */
final class RaceRunner implements Scenario {
    private static final int SCHEDULE_LINES = 60;

    private final Program program;
    private final RaceBody race;
    private final String title;
    private final Span span;
    private final Machines machines;
    private final Machines.Choice choice;
    private final Optional<Events.Listener> trace;
    private final BooleanSupplier interrupted;

    RaceRunner(
            Program program,
            Program.Test test,
            RaceBody race,
            Machines machines,
            Machines.Choice choice,
            Optional<Events.Listener> trace,
            BooleanSupplier interrupted) {
        this.program = program;
        this.race = race;
        this.title = test.name();
        this.span = test.span();
        this.machines = machines;
        this.choice = choice;
        this.trace = trace;
        this.interrupted = interrupted;
    }

    /** How the search went: what it prints, and the clause that does not hold, if one does not. */
    record Result(List<String> output, Optional<Fault> fault) {}

    Result run() {
        var explorer = new Explorer(this, race.bounds());
        if (race.replay().isPresent()) {
            Explorer.Replay replay = explorer.replay(race.replay().get());
            return new Result(List.of(RaceText.replay(title, labels(), replay, Integer.MAX_VALUE)), Optional.empty());
        }
        Exploration found = explorer.explore();
        var output = List.of(RaceText.outcomes(title, found));
        for (int i = 0; i < race.clauses().size(); i++) {
            Optional<Fault> fault = check(explorer, found, i);
            if (fault.isPresent()) {
                return new Result(output, fault);
            }
        }
        return new Result(output, Optional.empty());
    }

    private List<String> labels() {
        return race.tasks().stream().map(RaceBody.Task::label).toList();
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
            return Optional.of(fault(clause, found, "in no schedule that was run", List.of()));
        }
        return witness.map(distinct -> {
            Schedule schedule = distinct.witness();
            Explorer.Replay replay = explorer.replay(schedule);
            return fault(
                    clause,
                    found,
                    "in %,d of %,d schedules: %s"
                            .formatted(distinct.count(), found.schedules(), RaceText.end(distinct)),
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
                    case KVM_BUG -> distinct.finalState().startsWith("bugged");
                    case LOCK_ORDER_INVERSION ->
                        throw new IllegalStateException("a claim about all schedules together");
                };
            case RaceBody.Condition condition -> {
                int at = distinct.finalState().length() - 1 - index;
                yield distinct.verdict() instanceof Verdict.Ended
                        && distinct.finalState().charAt(at) == '1';
            }
        };
    }

    private Fault fault(RaceBody.Clause clause, Exploration found, String reason, List<String> details) {
        String words = clause.frequency().name().toLowerCase(java.util.Locale.ROOT);
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
        private final boolean watchesInvariants =
                race.clauses().stream().anyMatch(clause -> clause.claim() == RaceBody.Known.INVARIANT_VIOLATION);
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
        public Optional<String> violation() {
            return watchesInvariants ? world.violation() : Optional.empty();
        }

        /** {@code bugged} if the kernel ran into a bug check; then a digit for each clause, the first one last. */
        @Override
        public String finalState() {
            world.seams(Seams.SEQUENTIAL);
            var digits = new StringBuilder();
            for (RaceBody.Clause clause : race.clauses()) {
                boolean holds = clause.claim() instanceof RaceBody.Condition condition
                        && condition.target().call(arguments) instanceof Boolean truth
                        && truth;
                digits.insert(0, holds ? '1' : '0');
            }
            return (world.kernelBug() ? "bugged" : "") + digits;
        }

        @Override
        public void close() {
            world.close();
        }
    }
}
