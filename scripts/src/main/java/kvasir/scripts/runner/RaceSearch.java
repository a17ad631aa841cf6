package kvasir.scripts.runner;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import kvasir.grammar.Statement.Frequency;
import kvasir.scripts.RaceReport;
import kvasir.scripts.explore.Exploration;
import kvasir.scripts.explore.Explorer;
import kvasir.scripts.explore.Schedule;
import kvasir.scripts.explore.Shard;
import kvasir.scripts.explore.Verdict;
import kvasir.scripts.translate.RaceBody;

/**
 * One race as it is searched and judged, whatever language it was written in.
 *
 * @param title as written
 * @param labels of the tasks
 * @param shard the part of the search that is done here
 */
public record RaceSearch(String title, List<String> labels, List<Clause> clauses, Explorer explorer, Shard shard) {
    private static final int SCHEDULE_LINES = 60;
    private static final int REPLAYED_ENDINGS = 200;

    /**
     * What the race states.
     *
     * @param text of the claim, as written
     * @param known what the explorer itself finds; empty for a condition, which an end's
     *     {@link kvasir.scripts.explore.EndState} tells at the clause's index
     */
    public record Clause(Frequency frequency, String text, Optional<RaceBody.Known> known) {
        /** {@code never deadlock}. */
        public String words() {
            return frequency.name().toLowerCase(Locale.ROOT) + " " + text;
        }
    }

    /**
     * A clause that does not hold.
     *
     * @param clause its index
     * @param details the search, and the shortest schedule that breaks it
     */
    public record Broken(int clause, String reason, List<String> details) {}

    public RaceSearch {
        labels = List.copyOf(labels);
        clauses = List.copyOf(clauses);
    }

    /** Whether anything was found that no correct kernel does. */
    public static boolean bad(Exploration found) {
        return found.outcomes().stream()
                .anyMatch(each ->
                        !(each.verdict() instanceof Verdict.Ended) || each.end().kernelBug());
    }

    /** What the race comes to under some semantics, in a line. */
    public static String summary(String semantics, Exploration found) {
        String wrong = found.outcomes().stream()
                .filter(each ->
                        !(each.verdict() instanceof Verdict.Ended) || each.end().kernelBug())
                .findFirst()
                .map(RaceText::end)
                .orElse("clean");
        return "the same under %s: %s, %s".formatted(semantics, wrong, found.completeness());
    }

    /** The summary of a race that cannot be had there. */
    public static String noSummary(String semantics) {
        return "the same under %s: cannot be set up".formatted(semantics);
    }

    /** The first schedule of one end in writing, step by step. */
    public String schedule(RaceReport.Ending ending) {
        return replay(
                title, labels, explorer.replay(Schedule.parse(ending.token()).orElseThrow()));
    }

    /** A run of one schedule in writing, step by step. */
    public static String replay(String title, List<String> labels, Explorer.Replay run) {
        return RaceText.replay(title, labels, run, Integer.MAX_VALUE);
    }

    /** @param elsewhere what the same race does under other semantics, a line each */
    public RaceReport report(Exploration found, List<String> elsewhere) {
        var endings = new ArrayList<RaceReport.Ending>();
        for (Exploration.Distinct each : found.outcomes()) {
            boolean drawn = endings.size() < REPLAYED_ENDINGS;
            Optional<Explorer.Replay> replay = drawn ? Optional.of(explorer.replay(each.witness())) : Optional.empty();
            endings.add(new RaceReport.Ending(
                    RaceText.kind(each),
                    RaceText.end(each),
                    truths(each),
                    each.counted(),
                    each.witness().token(),
                    each.witness().preemptions(),
                    replay.map(run ->
                                    run.steps().subList(0, Math.min(run.steps().size(), run.repeatsFrom())))
                            .orElse(List.of())));
        }
        return new RaceReport(
                title,
                labels,
                found.method().words(),
                found.completeness(),
                found.size(),
                found.steps(),
                found.runs(),
                shard.toString(),
                clauses.stream()
                        .map(clause -> new RaceReport.Clause(
                                clause.frequency().name().toLowerCase(Locale.ROOT), clause.text()))
                        .toList(),
                endings,
                found.lockOrder(),
                elsewhere,
                found.whyNotStates(),
                found.reductions());
    }

    /** The first clause that does not hold. */
    public Optional<Broken> broken(Exploration found) {
        for (int i = 0; i < clauses.size(); i++) {
            Optional<Broken> broken = check(found, i);
            if (broken.isPresent()) {
                return broken;
            }
        }
        return Optional.empty();
    }

    private List<Boolean> truths(Exploration.Distinct ending) {
        var truths = new ArrayList<Boolean>();
        for (int i = 0; i < clauses.size(); i++) {
            truths.add(!inversion(clauses.get(i)) && holds(i, ending));
        }
        return truths;
    }

    private static boolean inversion(Clause clause) {
        return clause.known()
                .filter(RaceBody.Known.LOCK_ORDER_INVERSION::equals)
                .isPresent();
    }

    private Optional<Broken> check(Exploration found, int index) {
        Clause clause = clauses.get(index);
        if (inversion(clause)) {
            boolean holds = clause.frequency() == Frequency.NEVER
                    ? found.lockInversion().isEmpty()
                    : found.lockInversion().isPresent();
            return holds || partly(clause)
                    ? Optional.empty()
                    : Optional.of(broken(
                            index,
                            found,
                            found.lockInversion()
                                    .map(locks -> "taken in opposite orders: " + String.join(", ", locks))
                                    .orElse("all locks are taken in one order"),
                            List.of()));
        }
        Optional<Exploration.Distinct> witness = switch (clause.frequency()) {
            case NEVER ->
                found.outcomes().stream().filter(each -> holds(index, each)).findFirst();
            case ALWAYS ->
                found.outcomes().stream().filter(each -> !holds(index, each)).findFirst();
            case SOMETIMES -> Optional.empty();
        };
        if (clause.frequency() == Frequency.SOMETIMES
                && found.outcomes().stream().noneMatch(each -> holds(index, each))) {
            return partly(clause)
                    ? Optional.empty()
                    : Optional.of(broken(index, found, "in no schedule that was run", List.of()));
        }
        return witness.map(distinct -> broken(
                index,
                found,
                "in %s of %s schedules: %s"
                        .formatted(distinct.counted(), Exploration.counted(found.schedules()), RaceText.end(distinct)),
                List.of(
                        "schedule: the shortest\n"
                                + RaceText.replay(title, labels, explorer.replay(distinct.witness()), SCHEDULE_LINES),
                        "replay: explore { replay \"" + distinct.witness().token() + "\" }")));
    }

    /** A shard sees a part only: whether something ever happens is told when all are merged. */
    private boolean partly(Clause clause) {
        return clause.frequency() == Frequency.SOMETIMES && shard.count() != 1;
    }

    private boolean holds(int index, Exploration.Distinct distinct) {
        Optional<RaceBody.Known> known = clauses.get(index).known();
        if (known.isEmpty()) {
            return distinct.verdict() instanceof Verdict.Ended
                    && distinct.end().holds().get(index);
        }
        return switch (known.get()) {
            case DEADLOCK -> distinct.verdict() instanceof Verdict.Deadlock;
            case LIVELOCK -> distinct.verdict() instanceof Verdict.Livelock;
            case INVARIANT_VIOLATION -> distinct.verdict() instanceof Verdict.Violation;
            case KVM_BUG -> distinct.end().kernelBug();
            case LOCK_ORDER_INVERSION -> throw new IllegalStateException("a claim about all schedules together");
        };
    }

    private static Broken broken(int index, Exploration found, String reason, List<String> details) {
        var notes = new ArrayList<String>();
        notes.add("search: " + found.completeness());
        notes.addAll(details);
        return new Broken(index, reason, notes);
    }
}
