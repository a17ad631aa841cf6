package kvasir.scripts.explore;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Explores a scenario: its states where the machine can tell them apart, else schedules from the start, or random walks.
 * What has the fewest preemptions comes first.
 */
public final class Explorer {
    private static final int MOST_STARTS = 40;

    /** Schedules or walks between two calls of {@link Attendant#reached}. */
    private static final int RUNS_BETWEEN_NEWS = 256;

    private final Scenario scenario;
    private final Bounds bounds;
    private final String name;
    private final Shard shard;
    private final Attendant attendant;
    private final LockOrder lockOrder = new LockOrder();

    /** Runs that ended in the same way. */
    private record Key(Verdict verdict, String outcomes, EndState end) {}

    /** How often, and the first of them. */
    private static final class Tally {
        Exploration.Distinct first;
        int count = 1;

        Tally(Exploration.Distinct first) {
            this.first = first;
        }
    }

    /**
     * How the machine looks before a task runs.
     *
     * @param told whether it tells all of its state
     * @param invariants whether they are asked for
     */
    private record Sample(List<String> labels, boolean told, boolean invariants) {}

    public Explorer(Scenario scenario, Bounds bounds) {
        this(scenario, bounds, "", Shard.ALL, () -> false);
    }

    /**
     * @param name of the search: what is not divided goes to a shard by it
     * @param attendant may end the search, and hears how far it is
     */
    public Explorer(Scenario scenario, Bounds bounds, String name, Shard shard, Attendant attendant) {
        this.scenario = scenario;
        this.bounds = bounds;
        this.name = name;
        this.shard = shard;
        this.attendant = attendant;
    }

    /** Searches until everything within the bounds was seen. */
    public Exploration explore() {
        if (bounds.walks() > 0) {
            return walks();
        }
        Sample sample = sample();
        if (!sample.told) {
            return schedules(shard, "of a TDX or SNP guest the states are not compared");
        }
        Shard share = shard;
        if (!sample.invariants) {
            Shard owner = shard.ownerOf(name);
            if (!owner.equals(shard)) {
                return Exploration.leftTo(owner);
            }
            share = Shard.ALL;
        }
        try {
            return states(share, sample);
        } catch (Learner.Untold reason) {
            return schedules(share, String.valueOf(reason.getMessage()));
        }
    }

    private Sample sample() {
        Scenario.Run run = scenario.begin(kvasir.kvm.Seams.SEQUENTIAL);
        var sample = new Sample(
                run.tasks().stream().map(Scenario.Task::label).toList(), run.fingerprinted(), run.watchesInvariants());
        run.close();
        return sample;
    }

    // ---- states

    private Exploration states(Shard share, Sample sample) {
        var knowledge = new Learner.Knowledge();
        List<String> labels = sample.labels;
        Bounds within = bounds;
        int notLocal = 0;
        knowledge.forget(labels.size());
        for (int start = 0; start < MOST_STARTS; ) {
            var space = new StateSpace(
                    scenario, within, share, lockOrder, knowledge, labels.size(), sample.invariants, attendant);
            try {
                space.search();
                return new Exploration(
                        Exploration.Method.STATES,
                        new Endings(space, labels).distinct(),
                        space.size(),
                        space.steps(),
                        knowledge.runs,
                        space.bound(),
                        bounds.preemptions(),
                        !space.cutByPreemptions(),
                        lockOrder.all(),
                        "",
                        space.storedBytes() / space.size(),
                        space.reductions(labels),
                        share.count() == 1);
            } catch (Learner.StartAgain again) {
                // the knowledge now says how to look at what was in the way
                knowledge.forget(labels.size());
                start++;
            } catch (Symmetry.Broken broken) {
                knowledge.different.add(knowledge.symmetry.different());
                knowledge.forget(labels.size());
            } catch (Learner.NotLocal again) {
                // the knowledge now says whom the step concerns
                notLocal++;
                within = notLocal < MOST_STARTS
                        ? within
                        : within.with("merging", 0).orElseThrow();
            }
        }
        throw new Learner.Untold("the machine looks different each time");
    }

    // ---- schedules

    private Exploration schedules(Shard share, String whyNotStates) {
        int most = bounds.mostPreemptions(Bounds.PREEMPTIONS);
        var frontier = new ArrayList<ArrayDeque<Schedule>>();
        for (int i = 0; i <= most; i++) {
            frontier.add(new ArrayDeque<>());
        }
        frontier.getFirst().add(Schedule.DEFAULT);
        Map<Key, Tally> tallies = new LinkedHashMap<>();
        int schedules = 0;
        int shared = 0;
        long steps = 0;
        var dropped = new boolean[1];
        Optional<String> bound = Optional.empty();
        search:
        for (ArrayDeque<Schedule> level : frontier) {
            while (!level.isEmpty()) {
                if (schedules == bounds.schedules() || attendant.interrupted()) {
                    bound = Optional.of(attendant.interrupted() ? "interrupted" : "%,d schedules".formatted(schedules));
                    break search;
                }
                Schedule schedule = level.removeFirst();
                var execution = new Execution(scenario, schedule, bounds, lockOrder, false);
                Verdict verdict = execution.execute();
                boolean own = schedule.choices() != 0 || share.first();
                if (own) {
                    schedules++;
                    steps += execution.length();
                    tally(tallies, execution, verdict, schedule);
                    reached(schedules, "schedules");
                }
                execution.close();
                int mine = shared;
                var count = new int[1];
                execution.alternatives(schedule, next -> {
                    if (next.preemptions() > most) {
                        dropped[0] = true;
                    } else if (schedule.choices() != 0 || (mine + count[0]++) % share.count() == share.index()) {
                        frontier.get(next.preemptions()).addLast(next);
                    }
                });
                shared += count[0];
            }
        }
        return new Exploration(
                Exploration.Method.SCHEDULES,
                distinct(tallies),
                schedules,
                steps,
                schedules,
                bound,
                OptionalInt.of(most),
                !dropped[0],
                lockOrder.all(),
                whyNotStates,
                0,
                List.of(),
                share.count() == 1);
    }

    private void reached(int number, String what) {
        if (number % RUNS_BETWEEN_NEWS == 0) {
            attendant.reached("%,d %s".formatted(number, what));
        }
    }

    private static void tally(Map<Key, Tally> tallies, Execution execution, Verdict verdict, Schedule schedule) {
        EndState end = verdict instanceof Verdict.Ended ? execution.end() : EndState.NONE;
        String outcomes = verdict instanceof Verdict.Livelock ? "" : execution.outcomes();
        var key = new Key(verdict, outcomes, end);
        Tally known = tallies.get(key);
        if (known != null) {
            known.count++;
            if (schedule.preemptions() > known.first.witness().preemptions()) {
                return;
            }
        }
        var found = new Exploration.Distinct(verdict, outcomes, end, 0, schedule, execution.way());
        if (known == null) {
            tallies.put(key, new Tally(found));
        } else if (Exploration.Distinct.WITNESSES.compare(found, known.first) < 0) {
            known.first = found;
        }
    }

    private static List<Exploration.Distinct> distinct(Map<Key, Tally> tallies) {
        return tallies.values().stream()
                .map(tally -> tally.first.counted(tally.count))
                .sorted(Exploration.Distinct.WITNESSES)
                .toList();
    }

    // ---- walks

    private Exploration walks() {
        Map<Key, Tally> tallies = new LinkedHashMap<>();
        long steps = 0;
        int length = 0;
        int walks = 0;
        for (int i = shard.index(); i < bounds.walks() && !attendant.interrupted(); i += shard.count()) {
            var random = new java.util.SplittableRandom(bounds.seed() * 0x9e3779b97f4a7c15L + i);
            if (length == 0) {
                length = Math.min(1 + runOnce(Schedule.DEFAULT).length(), bounds.steps());
            }
            Chooser chooser = bounds.depth() == 0
                    ? Walks.uniform(random)
                    : Walks.pct(random, bounds.depth(), length, bounds.steps());
            var execution = new Execution(scenario, chooser, bounds, lockOrder, false);
            Verdict verdict = execution.execute();
            walks++;
            steps += execution.length();
            tally(tallies, execution, verdict, execution.taken());
            reached(walks, "walks");
            execution.close();
        }
        return new Exploration(
                Exploration.Method.WALKS,
                distinct(tallies),
                walks,
                steps,
                walks,
                Optional.of("%,d walks".formatted(walks)),
                OptionalInt.empty(),
                false,
                lockOrder.all(),
                "",
                0,
                List.of(),
                shard.count() == 1);
    }

    private Execution runOnce(Schedule schedule) {
        var execution = new Execution(scenario, schedule, bounds, lockOrder, false);
        execution.execute();
        execution.close();
        return execution;
    }

    // ---- one schedule

    /** One schedule again, step by step. */
    public Replay replay(Schedule schedule) {
        var execution = new Execution(scenario, schedule, bounds, new LockOrder(), true);
        Verdict verdict = execution.execute();
        EndState end = verdict instanceof Verdict.Ended ? execution.end() : EndState.NONE;
        execution.close();
        return new Replay(verdict, execution.outcomes(), end, execution.steps(), execution.repeatsFrom());
    }

    /**
     * A replayed schedule.
     *
     * @param outcomes how the tasks ended, in words
     * @param end what the race looked at
     * @param repeatsFrom the first step that only repeats what was before; the number of steps if the run did not end in a loop
     */
    public record Replay(Verdict verdict, String outcomes, EndState end, List<Step> steps, int repeatsFrom) {}
}
