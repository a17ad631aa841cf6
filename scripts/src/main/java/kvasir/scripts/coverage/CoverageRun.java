package kvasir.scripts.coverage;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kvasir.event.Event;
import kvasir.scripts.CaseResult;
import kvasir.scripts.Failure;
import kvasir.scripts.Machines;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunOptions;
import kvasir.scripts.RunSummary;
import kvasir.scripts.js.SuiteRunner;

/** Runs suites and collects what of a coverage's table they provoke. */
public final class CoverageRun {
    private final Coverage coverage;
    private final Set<Coverage.Row> provoked = new LinkedHashSet<>();
    private final List<String> troubles = new ArrayList<>();

    /** A run that has not begun. */
    public CoverageRun(Coverage coverage) {
        this.coverage = coverage;
    }

    /**
     * What came out.
     *
     * @param groups in the order of the table
     * @param troubles failures of scripts, as text; what they provoked before counts
     * @param summary of the run behind it
     */
    public record Result(List<Group> groups, List<String> troubles, RunSummary summary) {
        /** Number of provoked rows. */
        public int provoked() {
            return groups.stream().mapToInt(Group::provoked).sum();
        }

        /** Number of known rows. */
        public int known() {
            return groups.stream().mapToInt(Group::known).sum();
        }
    }

    /**
     * The rows of one construct.
     *
     * @param missing names of the rows that nothing provoked
     */
    public record Group(String name, int provoked, int known, List<String> missing) {}

    /** Runs the scripts and modules at {@code paths}, each under the semantics it names. */
    public Result run(Machines machines, List<Path> paths) {
        RunSummary summary =
                new SuiteRunner(machines).run(paths, RunOptions.defaults().withTrace(true), new Collector());
        Map<String, List<Coverage.Row>> byGroup = new LinkedHashMap<>();
        coverage.known()
                .forEach(row -> byGroup.computeIfAbsent(row.group(), group -> new ArrayList<>())
                        .add(row));
        List<Group> groups = byGroup.entrySet().stream()
                .map(entry -> group(entry.getKey(), entry.getValue()))
                .toList();
        return new Result(groups, List.copyOf(troubles), summary);
    }

    private Group group(String name, List<Coverage.Row> rows) {
        List<String> missing = rows.stream()
                .filter(row -> !provoked.contains(row))
                .map(Coverage.Row::name)
                .toList();
        return new Group(name, rows.size() - missing.size(), rows.size(), missing);
    }

    private final class Collector implements RunListener {
        @Override
        public void event(long sequence, Event event) {
            coverage.hear(event, provoked::add);
        }

        @Override
        public void aside(Event event) {
            coverage.hear(event, provoked::add);
        }

        @Override
        public void raceEvent(long sequence, Event event) {
            coverage.hear(event, provoked::add);
        }

        @Override
        public void rejected(Path file, Failure failure) {
            troubles.add(failure.text());
        }

        @Override
        public void finished(CaseResult result) {
            result.failure()
                    .ifPresent(failure -> troubles.add(
                            result.file() + ": " + result.test() + " (" + result.semantics() + ")\n" + failure.text()));
        }
    }
}
