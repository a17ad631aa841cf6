package kvasir.scripts;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import kvasir.scripts.explore.Exploration;
import kvasir.scripts.explore.LockOrder;
import kvasir.scripts.explore.RaceSvg;
import kvasir.scripts.explore.Step;

/**
 * What exploring one race under one semantics found.
 *
 * @param race its title
 * @param tasks labels, in the order of the race
 * @param method {@code states}, {@code schedules} or {@code walks}: what was gone through; {@code nothing} if the race is
 *     another shard's
 * @param completeness {@code complete (1,234 states)} or {@code bounded (...)}
 * @param size states, schedules or walks
 * @param steps steps that were considered
 * @param runs times the real code was run
 * @param shard {@code 1/4}; {@code 1/1} for the whole search
 * @param clauses what the race states, in its order
 * @param endings each distinct end, in the order of {@link Ending#ORDER}
 * @param lockOrder which lock was taken while which was held, over all runs
 * @param elsewhere what the same race does under other semantics, a line each; empty unless something is wrong here
 * @param note why schedules were gone through although states would be fewer; empty if they were not
 * @param reductions what was searched once for several, a sentence each
 */
public record RaceReport(
        String race,
        List<String> tasks,
        String method,
        String completeness,
        long size,
        long steps,
        int runs,
        String shard,
        List<Clause> clauses,
        List<Ending> endings,
        List<LockOrder.Taken> lockOrder,
        List<String> elsewhere,
        String note,
        List<String> reductions) {
    private static final int DRAWN_STEPS = 120;

    /**
     * One distinct end.
     *
     * @param kind {@code ended}, {@code kvm bug}, {@code deadlock}, {@code livelock} or {@code invariant violation}
     * @param text in words: how each task ended, or who waits for what
     * @param conditions for each clause of the race, whether what it names is so there
     * @param count schedules that end so, as a decimal number; turns of a retry loop are not counted
     * @param token a schedule that ends so with as few preemptions as any, for {@code --replay}
     * @param preemptions in that schedule
     * @param steps of that schedule, up to where it only repeats itself
     */
    public record Ending(
            String kind,
            String text,
            List<Boolean> conditions,
            String count,
            String token,
            int preemptions,
            List<Step> steps) {
        /** Fewest preemptions first, then fewest steps, then by who runs; what was not run again comes last. */
        public static final Comparator<Ending> ORDER = Comparator.comparing((Ending each) -> each.steps.isEmpty())
                .thenComparingInt(Ending::preemptions)
                .thenComparingInt(each -> each.steps.size())
                .thenComparing(Ending::way)
                .thenComparing(Ending::token);

        public Ending {
            conditions = List.copyOf(conditions);
            steps = List.copyOf(steps);
        }

        /** Who runs at each step, a letter each. */
        private String way() {
            return steps.stream()
                    .map(step -> String.valueOf((char) ('A' + step.task())))
                    .collect(Collectors.joining());
        }

        /** Whether no correct kernel ends so. */
        public boolean bad() {
            return !kind.equals("ended");
        }
    }

    /**
     * What a race states.
     *
     * @param frequency {@code always}, {@code never} or {@code sometimes}
     * @param text of what is so, as in the script
     */
    public record Clause(String frequency, String text) {
        /** Whether it holds of all ends together; {@code index} is its place among the clauses. */
        public boolean holds(int index, List<Ending> endings) {
            return switch (frequency) {
                case "never" ->
                    endings.stream().noneMatch(ending -> ending.conditions().get(index));
                case "always" ->
                    endings.stream().allMatch(ending -> ending.conditions().get(index));
                default ->
                    endings.stream().anyMatch(ending -> ending.conditions().get(index));
            };
        }
    }

    public RaceReport {
        clauses = List.copyOf(clauses);
        tasks = List.copyOf(tasks);
        endings = endings.stream().sorted(Ending.ORDER).toList();
        lockOrder = List.copyOf(lockOrder);
        elsewhere = List.copyOf(elsewhere);
        reductions = List.copyOf(reductions);
    }

    /** Whether another shard has the search. */
    public boolean elsewhereSearched() {
        return method.equals(Exploration.Method.NOTHING.words());
    }

    /** The locks of a cycle in the lock order, if there is one. */
    public Optional<List<String>> lockInversion() {
        return LockOrder.of(lockOrder).inversion();
    }

    /** What was found as lines that can be put into a mail: how many schedules end how, and the first of each. */
    public String text() {
        if (elsewhereSearched()) {
            return "race \"%s\": %s".formatted(race, completeness);
        }
        var text =
                new StringBuilder(MailLines.fold("race \"%s\": %s, %,d steps".formatted(race, completeness, steps), 2));
        int width = Math.max(
                9,
                endings.stream().mapToInt(each -> each.count().length()).max().orElse(1));
        for (Ending each : endings) {
            String count = " ".repeat(width - each.count().length()) + each.count();
            line(text, "%s  %s   first:%s%s".formatted(count, each.text(), MailLines.TIE, each.token()), width + 4);
        }
        lockInversion().ifPresent(locks -> line(text, "  lock order inversion: " + String.join(" -> ", locks), 4));
        elsewhere.forEach(each -> line(text, "  " + each, 4));
        if (!note.isEmpty()) {
            line(text, "  by schedules, not by states: " + note, 4);
        }
        reductions.forEach(each -> line(text, "  " + each, 4));
        return text.toString();
    }

    private static void line(StringBuilder text, String line, int indent) {
        text.append('\n').append(MailLines.fold(line, indent));
    }

    /** The ends whose schedules are worth a picture: those that should not be, or all if all is well. */
    public List<Ending> shown() {
        List<Ending> bad = endings.stream().filter(Ending::bad).toList();
        return bad.isEmpty() ? endings : bad;
    }

    /** The schedule of one end as swim lanes: a complete SVG document. */
    public String svg(Ending ending) {
        return RaceSvg.of("%s: %s".formatted(race, ending.token()), ending.text(), tasks, ending.steps(), DRAWN_STEPS);
    }
}
