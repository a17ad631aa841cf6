package kvasir.scripts.runner;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import kvasir.event.Events;
import kvasir.grammar.Diagnostic;
import kvasir.grammar.Span;
import kvasir.grammar.Statement;
import kvasir.kvm.Seams;
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
import kvasir.scripts.nodes.Execution;
import kvasir.scripts.nodes.Fault;
import kvasir.scripts.translate.Program;
import kvasir.scripts.translate.RaceBody;

/** Explores one race: each run in a machine of its own, made by the script's declarations and setups. */
final class RaceRunner implements Scenario {
    private final Program program;
    private final RaceBody race;
    private final String title;
    private final Span span;
    private final Machines machines;
    private final Machines.Choice choice;
    private final ExploreOptions options;
    private final boolean invariants;
    private final Optional<Events.Listener> trace;
    private final BooleanSupplier interrupted;
    private boolean begun;

    RaceRunner(
            Program program,
            Program.Test test,
            RaceBody race,
            Machines machines,
            Machines.Choice choice,
            ExploreOptions options,
            boolean invariants,
            Optional<Events.Listener> trace,
            BooleanSupplier interrupted) {
        this.program = program;
        this.race = race;
        this.title = test.name();
        this.span = test.span();
        this.machines = machines;
        this.choice = choice;
        this.options = options;
        this.invariants = invariants
                || race.clauses().stream().anyMatch(clause -> clause.claim() == RaceBody.Known.INVARIANT_VIOLATION);
        this.trace = trace;
        this.interrupted = interrupted;
    }

    private RaceRunner under(String semantics) {
        var other = new Machines.Choice(semantics, choice.seed(), choice.instructionBudget());
        return new RaceRunner(
                program, title, span, race, machines, other, options, invariants, Optional.empty(), interrupted);
    }

    private RaceRunner(
            Program program,
            String title,
            Span span,
            RaceBody race,
            Machines machines,
            Machines.Choice choice,
            ExploreOptions options,
            boolean invariants,
            Optional<Events.Listener> trace,
            BooleanSupplier interrupted) {
        this.program = program;
        this.race = race;
        this.title = title;
        this.span = span;
        this.machines = machines;
        this.choice = choice;
        this.options = options;
        this.invariants = invariants
                || race.clauses().stream().anyMatch(clause -> clause.claim() == RaceBody.Known.INVARIANT_VIOLATION);
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
        RaceSearch search = search(explorer);
        RaceReport report = search.report(found, RaceSearch.bad(found) ? elsewhere() : List.of());
        return new Result(
                List.of(report.text()), search.broken(found).map(broken -> fault(search, broken)), Optional.of(report));
    }

    private RaceSearch search(Explorer explorer) {
        var clauses = new ArrayList<RaceSearch.Clause>();
        for (RaceBody.Clause clause : race.clauses()) {
            clauses.add(new RaceSearch.Clause(
                    clause.frequency(),
                    clause.span().text().strip(),
                    clause.claim() instanceof RaceBody.Known known ? Optional.of(known) : Optional.empty()));
        }
        boolean said = clauses.stream()
                .anyMatch(clause -> clause.known()
                        .filter(RaceBody.Known.INVARIANT_VIOLATION::equals)
                        .isPresent());
        if (invariants && !said) {
            clauses.add(new RaceSearch.Clause(
                    Statement.Frequency.NEVER, "invariant violation", Optional.of(RaceBody.Known.INVARIANT_VIOLATION)));
        }
        return new RaceSearch(title, labels(), clauses, explorer, options.shard());
    }

    private Fault fault(RaceSearch search, RaceSearch.Broken broken) {
        boolean said = broken.clause() < race.clauses().size();
        var diagnostic = new Diagnostic(
                "E0504",
                said ? race.clauses().get(broken.clause()).span() : span,
                "`%s` does not hold"
                        .formatted(search.clauses().get(broken.clause()).words()),
                broken.reason(),
                Optional.empty());
        return new Fault(Failure.Kind.ASSERTION, diagnostic, broken.details());
    }

    private Explorer explorer() {
        return new Explorer(this, options.over(race.bounds()), options.shard(), interrupted);
    }

    private List<String> labels() {
        return race.tasks().stream().map(RaceBody.Task::label).toList();
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
            return RaceSearch.summary(choice.semantics(), explorer().explore());
        } catch (kvasir.scripts.nodes.ScriptException refused) {
            return RaceSearch.noSummary(choice.semantics());
        }
    }

    @Override
    public Run begin(Seams seams) {
        Machines.World world = machines.create(choice);
        trace.ifPresent(world.events()::add);
        // a search that is interrupted ends by itself, with what it found; only its first machine may take long
        var execution = new Execution(
                world, choice.semantics(), Optional.empty(), false, text -> {}, begun ? () -> false : interrupted);
        program.topLevel().call(execution);
        program.setups().forEach(setup -> setup.call(execution));
        begun = true;
        world.seams(seams);
        return new Schedules(world, execution);
    }

    /** One machine with its tasks. */
    private final class Schedules extends WorldRun {
        private final Machines.World world;
        private final Execution execution;
        private final Object[] arguments = new Object[race.tasks().size() + 1];

        Schedules(Machines.World world, Execution execution) {
            super(world);
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
            return invariants;
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
        public void close() {
            world.close();
        }
    }
}
