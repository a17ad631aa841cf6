package kvasir.scripts.runner;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
import kvasir.scripts.explore.Attendant;
import kvasir.scripts.explore.EndState;
import kvasir.scripts.explore.Exploration;
import kvasir.scripts.explore.Explorer;
import kvasir.scripts.explore.Scenario;
import kvasir.scripts.explore.Schedule;
import kvasir.scripts.nodes.Execution;
import kvasir.scripts.nodes.Fault;
import kvasir.scripts.nodes.ScriptException;
import kvasir.scripts.translate.Program;
import kvasir.scripts.translate.RaceBody;

/** Explores one race as a script says it. */
public final class RaceRunner implements Scenario {
    private final RaceGround ground;
    private final RaceBody race;
    private final String title;
    private final Span span;
    private final ExploreOptions options;
    private final boolean invariants;
    private final Attendant attendant;

    RaceRunner(
            RaceGround ground,
            String title,
            Span span,
            RaceBody race,
            ExploreOptions options,
            boolean invariants,
            Attendant attendant) {
        this.ground = ground;
        this.race = race;
        this.title = title;
        this.span = span;
        this.options = options;
        this.invariants = invariants
                || race.clauses().stream().anyMatch(clause -> clause.claim() == RaceBody.Known.INVARIANT_VIOLATION);
        this.attendant = attendant;
    }

    /** Explores a race in the machine of a conversation, which is left as it was. */
    public static Result inPlace(
            Machines.World world, Execution execution, Program.Test test, RaceBody race, Attendant attendant) {
        try (var ground = new StandingGround(world, execution)) {
            return new RaceRunner(ground, test.name(), test.span(), race, ExploreOptions.DEFAULT, false, attendant)
                    .run();
        }
    }

    /** How the search went: what it prints, the clause that does not hold if one does not, and all that was found. */
    public record Result(List<String> output, Optional<Fault> fault, Optional<RaceReport> report) {}

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
        String name = title + " under " + ground.semantics();
        return new Explorer(this, options.over(race.bounds()), name, options.shard(), attendant);
    }

    private List<String> labels() {
        return race.tasks().stream().map(RaceBody.Task::label).toList();
    }

    /** The same race under the other semantics of a kernel, as far as the script can be set up there. */
    private List<String> elsewhere() {
        var lines = new ArrayList<String>();
        for (RaceGround other : ground.elsewhere()) {
            if (!attendant.interrupted()) {
                lines.add(new RaceRunner(other, title, span, race, options.whole(), invariants, attendant).summary());
            }
        }
        return lines;
    }

    private String summary() {
        try {
            return RaceSearch.summary(ground.semantics(), explorer().explore());
        } catch (ScriptException refused) {
            return RaceSearch.noSummary(ground.semantics());
        }
    }

    @Override
    public Run begin(Seams seams) {
        RaceGround.Ready ready = ground.ready();
        ready.world().seams(seams);
        return new Schedules(ready);
    }

    /** One machine with its tasks. */
    private final class Schedules extends WorldRun {
        private final Machines.World world;
        private final RaceGround.Ready ready;
        private final Object[] arguments = new Object[race.tasks().size() + 1];

        Schedules(RaceGround.Ready ready) {
            super(ready.world());
            world = ready.world();
            this.ready = ready;
            arguments[0] = ready.execution();
        }

        @Override
        public List<Task> tasks() {
            var tasks = new ArrayList<Task>();
            for (int i = 0; i < race.tasks().size(); i++) {
                RaceBody.Task task = race.tasks().get(i);
                int at = i + 1;
                Execution own = ready.execution().beside();
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
            ready.leave().run();
        }
    }
}
