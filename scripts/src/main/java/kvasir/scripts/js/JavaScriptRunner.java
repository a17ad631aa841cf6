package kvasir.scripts.js;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import kvasir.event.Event;
import kvasir.event.Events;
import kvasir.event.History;
import kvasir.scripts.CaseResult;
import kvasir.scripts.Failure;
import kvasir.scripts.Machines;
import kvasir.scripts.RaceReport;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunOptions;
import kvasir.scripts.RunSummary;
import kvasir.scripts.nodes.Execution;
import kvasir.scripts.runner.RaceSearch;
import org.graalvm.polyglot.PolyglotException;
import org.jspecify.annotations.Nullable;

/**
 * Runs JavaScript modules as the KVS runner runs scripts: every test under every semantics, each in a machine of its
 * own, for which the module is evaluated anew. A module without tests is one case.
 */
public final class JavaScriptRunner {
    private static final int EVENTS_KEPT = 1 << 14;

    private final Machines machines;
    private volatile boolean interrupted;
    private volatile @Nullable Realm running;

    /** The test that runs; empty while a module is evaluated. */
    private Optional<String> current = Optional.empty();

    /** A runner whose scripts drive {@code machines}. */
    public JavaScriptRunner(Machines machines) {
        this.machines = machines;
    }

    /** The JavaScript modules that {@code path} names: itself, or those below the folder, sorted. */
    static List<Path> modules(Path path) {
        if (!Files.isDirectory(path)) {
            return JavaScriptFunction.isModule(path) ? List.of(path) : List.of();
        }
        try (Stream<Path> below = Files.walk(path)) {
            return below.filter(JavaScriptFunction::isModule).sorted().toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    /**
     * Runs {@code files} in the given order. Failures of scripts are told to {@code listener}, never thrown; the end
     * is not told, since other scripts may follow.
     */
    public RunSummary run(List<Path> files, RunOptions options, RunListener listener) {
        var tally = new Tally(listener);
        for (Path file : files) {
            if (!interrupted) {
                runFile(new Run(file, options, tally));
            }
        }
        return tally.summary();
    }

    /** Ends the run on another thread soon and cleanly. */
    public void interrupt() {
        interrupted = true;
        Realm realm = running;
        if (realm != null) {
            realm.interrupt();
        }
    }

    private record Run(Path file, RunOptions options, Tally tally) {}

    /** A realm in which the module has been evaluated, or why it could not be. */
    private record Loaded(
            Machines.World world, Realm realm, List<String> output, List<RaceReport> races, Optional<Failure> failure) {
        void close() {
            realm.close();
            world.close();
        }
    }

    private void runFile(Run run) {
        if (!Files.isReadable(run.file) || Files.isDirectory(run.file)) {
            String message = "cannot read " + run.file;
            run.tally.rejected(run.file, new Failure(Failure.Kind.USAGE, message, run.file, 0, 0, "error: " + message));
            return;
        }
        String first = run.options.semantics().isEmpty()
                ? machines.defaultSemantics()
                : run.options.semantics().getFirst();
        Loaded loaded = load(run, first);
        List<String> declared = loaded.realm.declaredSemantics();
        if (loaded.failure
                .filter(failure -> failure.kind() == Failure.Kind.SYNTAX)
                .isPresent()) {
            run.tally.rejected(run.file, loaded.failure.get());
            loaded.close();
            return;
        }
        Optional<Loaded> reusable = Optional.of(loaded).filter(each -> !each.realm.elsewhere());
        if (reusable.isEmpty()) {
            loaded.close();
        }
        List<String> wanted = declared.isEmpty() ? List.of(first) : declared;
        if (declared.isEmpty() && !run.options.semantics().isEmpty()) {
            wanted = run.options.semantics();
        }
        for (String semantics : wanted) {
            boolean chosen =
                    run.options.semantics().isEmpty() || run.options.semantics().contains(semantics);
            if (chosen) {
                Optional<Loaded> here = reusable.filter(each -> semantics.equals(first));
                runUnder(run, semantics, here.orElseGet(() -> load(run, semantics)));
                reusable = here.isPresent() ? Optional.empty() : reusable;
            }
        }
        reusable.ifPresent(unused -> unused.close());
    }

    /** What happens during a race happens in many schedules, not in the test. */
    private Events.Listener listener(RunListener listener) {
        Events.Listener test = listener.stream();
        return new Events.Listener() {
            @Override
            public void on(long sequence, Event event) {
                Realm realm = running;
                if (realm != null && realm.racing()) {
                    listener.raceEvent(sequence, event);
                } else {
                    test.on(sequence, event);
                }
            }

            @Override
            public void aside(Event event) {
                test.aside(event);
            }
        };
    }

    private Loaded load(Run run, String semantics) {
        var output = new ArrayList<String>();
        current = Optional.empty();
        Machines.World world =
                machines.create(new Machines.Choice(semantics, run.options.seed(), run.options.instructionBudget()));
        var history = new History(EVENTS_KEPT);
        world.events().add(history);
        if (run.options.trace()) {
            world.events().add(listener(run.tally.listener));
        }
        var execution = new Execution(world, semantics, Optional.of(history), false, output::add, () -> interrupted);
        var races = new ArrayList<RaceReport>();
        var exploring = new Exploring(
                run.options.explore(),
                run.options.invariants(),
                races::add,
                run.tally.listener::progress,
                title -> elsewhere(run, semantics, title, current));
        var realm = new Realm(machines, execution, run.options.seed(), run.file, exploring);
        running = realm;
        try {
            realm.load(run.file);
            return new Loaded(world, realm, output, races, Optional.empty());
        } catch (PolyglotException e) {
            return new Loaded(
                    world,
                    realm,
                    output,
                    races,
                    realm.elsewhere() ? Optional.empty() : Optional.of(new Uncaught(run.file, e).failure()));
        }
    }

    /** What the race of a test does under the other semantics of a kernel, as far as the module can be run there. */
    private List<String> elsewhere(Run run, String here, String race, Optional<String> test) {
        var lines = new ArrayList<String>();
        for (String semantics : machines.semantics()) {
            if (!semantics.equals(here) && semantics.startsWith("v") && !interrupted) {
                lines.add(summary(run, semantics, race, test));
            }
        }
        return lines;
    }

    private String summary(Run run, String semantics, String race, Optional<String> test) {
        try (Machines.World world =
                machines.create(new Machines.Choice(semantics, run.options.seed(), run.options.instructionBudget()))) {
            var execution = new Execution(world, semantics, Optional.empty(), false, text -> {}, () -> interrupted);
            var exploring = new Exploring(
                    run.options.explore(), run.options.invariants(), report -> {}, how -> {}, title -> List.of());
            try (var realm = new Realm(machines, execution, run.options.seed(), run.file, exploring)) {
                return summary(realm, run.file, race, test).orElseGet(() -> RaceSearch.noSummary(semantics));
            }
        }
    }

    private static Optional<String> summary(Realm realm, Path file, String race, Optional<String> test) {
        realm.sumUp(race);
        try {
            realm.load(file);
            realm.tests().stream()
                    .filter(each -> test.filter(each.name()::equals).isPresent())
                    .findFirst()
                    .ifPresent(realm::run);
        } catch (PolyglotException end) {
            // it ends at the race, or cannot come so far
            return realm.summary();
        }
        return realm.summary();
    }

    private void runUnder(Run run, String semantics, Loaded first) {
        List<String> names = first.failure.isPresent() || first.realm.tests().isEmpty()
                ? List.of()
                : first.realm.tests().stream().map(Realm.Test::name).toList();
        if (names.isEmpty()) {
            Path name = run.file.getFileName();
            finish(run, semantics, name == null ? run.file.toString() : name.toString(), first, Optional.empty());
            return;
        }
        Optional<Loaded> reusable = Optional.of(first);
        for (int i = 0; i < names.size() && !interrupted; i++) {
            String name = names.get(i);
            if (!(run.file + ": " + name).contains(run.options.filter())) {
                continue;
            }
            Loaded loaded = reusable.orElseGet(() -> load(run, semantics));
            reusable = Optional.empty();
            Optional<Realm.Test> test = i < loaded.realm.tests().size()
                    ? Optional.of(loaded.realm.tests().get(i))
                    : Optional.empty();
            finish(run, semantics, name, loaded, test);
        }
        reusable.ifPresent(unused -> unused.close());
    }

    private void finish(Run run, String semantics, String name, Loaded loaded, Optional<Realm.Test> test) {
        run.tally.listener.started(run.file, name, semantics);
        running = loaded.realm;
        current = test.map(Realm.Test::name);
        Optional<Failure> failure = loaded.failure;
        var absent = "";
        if (failure.isEmpty()) {
            try {
                test.ifPresent(loaded.realm::run);
                failure = loaded.realm.unread().map(view -> Uncaught.unread(run.file, view));
            } catch (PolyglotException e) {
                var uncaught = new Uncaught(run.file, e);
                absent = uncaught.absence().orElse("");
                failure = absent.isEmpty() ? Optional.of(uncaught.failure()) : Optional.empty();
            }
        }
        if (!loaded.realm.partly().isEmpty() && failure.isPresent()) {
            absent = "%s, and what was asserted is of the whole: %s"
                    .formatted(loaded.realm.partly(), failure.get().title());
            failure = Optional.empty();
        }
        if (run.options.explore().onlyRaces()
                && failure.isEmpty()
                && loaded.races.isEmpty()
                && loaded.realm.partly().isEmpty()) {
            running = null;
            loaded.close();
            return;
        }
        CaseResult.Verdict passed = absent.isEmpty() ? CaseResult.Verdict.PASSED : CaseResult.Verdict.SKIPPED;
        run.tally.finished(new CaseResult(
                run.file,
                name,
                semantics,
                failure.isPresent() ? CaseResult.Verdict.FAILED : passed,
                failure,
                absent,
                List.copyOf(loaded.output),
                List.copyOf(loaded.realm.answers()),
                "",
                loaded.races));
        running = null;
        loaded.close();
    }

    /** Counts as it tells. */
    private static final class Tally {
        private final RunListener listener;
        private int passed;
        private int failed;
        private int skipped;
        private int rejected;
        private int exitCode;

        Tally(RunListener listener) {
            this.listener = listener;
        }

        void rejected(Path file, Failure failure) {
            rejected++;
            count(failure);
            listener.rejected(file, failure);
        }

        void finished(CaseResult result) {
            if (result.failure().isPresent()) {
                failed++;
                count(result.failure().get());
            } else if (result.verdict() == CaseResult.Verdict.SKIPPED) {
                skipped++;
            } else {
                passed++;
            }
            listener.finished(result);
        }

        private void count(Failure failure) {
            exitCode = RunSummary.worse(exitCode, failure.kind().exitCode());
        }

        RunSummary summary() {
            return new RunSummary(passed, failed, skipped, rejected, exitCode);
        }
    }
}
