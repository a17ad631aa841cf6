package kvasir.scripts.explore;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Runs a scenario under every schedule within bounds, those with the fewest preemptions first. */
public final class Explorer {
    private final Scenario scenario;
    private final Bounds bounds;

    /** Runs that ended in the same way. */
    private record Key(Verdict verdict, String outcomes, String finalState) {}

    /** How often, and the first time. */
    private static final class Tally {
        final Schedule witness;
        int count;

        Tally(Schedule witness) {
            this.witness = witness;
        }
    }

    public Explorer(Scenario scenario, Bounds bounds) {
        this.scenario = scenario;
        this.bounds = bounds;
    }

    /** Searches until everything within the bounds was run. */
    public Exploration explore() {
        var frontier = new ArrayList<ArrayDeque<Schedule>>();
        for (int i = 0; i <= bounds.preemptions(); i++) {
            frontier.add(new ArrayDeque<>());
        }
        frontier.getFirst().add(Schedule.DEFAULT);
        Map<Key, Tally> tallies = new LinkedHashMap<>();
        var lockOrder = new LockOrder();
        int schedules = 0;
        long steps = 0;
        boolean exhaustive = true;
        for (ArrayDeque<Schedule> level : frontier) {
            while (!level.isEmpty()) {
                if (schedules == bounds.schedules()) {
                    return result(
                            tallies,
                            schedules,
                            steps,
                            Optional.of("%,d schedules".formatted(schedules)),
                            false,
                            lockOrder);
                }
                Schedule schedule = level.removeFirst();
                var execution = new Execution(scenario, schedule, bounds, lockOrder, false);
                Verdict verdict = execution.execute();
                schedules++;
                steps += execution.length();
                String finalState = verdict instanceof Verdict.Ended ? execution.finalState() : "";
                tallies.computeIfAbsent(new Key(verdict, execution.outcomes(), finalState), key -> new Tally(schedule))
                        .count++;
                execution.close();
                var dropped = new int[1];
                execution.alternatives(next -> {
                    if (next.preemptions() <= bounds.preemptions()) {
                        frontier.get(next.preemptions()).addLast(next);
                    } else {
                        dropped[0]++;
                    }
                });
                exhaustive &= dropped[0] == 0;
            }
        }
        return result(tallies, schedules, steps, Optional.empty(), exhaustive, lockOrder);
    }

    private Exploration result(
            Map<Key, Tally> tallies,
            int schedules,
            long steps,
            Optional<String> bound,
            boolean exhaustive,
            LockOrder lockOrder) {
        List<Exploration.Distinct> outcomes = tallies.entrySet().stream()
                .map(entry -> new Exploration.Distinct(
                        entry.getKey().verdict(),
                        entry.getKey().outcomes(),
                        entry.getKey().finalState(),
                        entry.getValue().count,
                        entry.getValue().witness))
                .toList();
        return new Exploration(
                outcomes, schedules, steps, bound, bounds.preemptions(), exhaustive, lockOrder.inversion());
    }

    /** One schedule again, step by step. */
    public Replay replay(Schedule schedule) {
        var execution = new Execution(scenario, schedule, bounds, new LockOrder(), true);
        Verdict verdict = execution.execute();
        execution.close();
        return new Replay(verdict, execution.outcomes(), execution.steps(), execution.repeatsFrom());
    }

    /**
     * A replayed schedule.
     *
     * @param outcomes how the tasks ended, in words
     * @param repeatsFrom the first step that only repeats what was before; the number of steps if the run did not end in a loop
     */
    public record Replay(Verdict verdict, String outcomes, List<Step> steps, int repeatsFrom) {}
}
