package kvasir.scripts.explore;

import java.util.OptionalInt;

/**
 * How far a search goes.
 *
 * @param preemptions schedules with more are not run; absent: a search of states has no such bound, one of schedules 2
 * @param states at most so many states, where states are searched
 * @param schedules at most so many runs, where schedules are searched
 * @param steps a run that is longer is continued fairly, each task in turn
 * @param fairSteps a run that does not end within so many fair steps is a livelock
 * @param walks instead of a search, so many random schedules; 0 for a search
 * @param depth of a walk: 0 chooses uniformly at each step, {@code d} gives tasks random priorities that change at
 *     {@code d − 1} random steps (PCT)
 * @param seed of the walks
 */
public record Bounds(
        OptionalInt preemptions, int states, int schedules, int steps, int fairSteps, int walks, int depth, long seed) {
    /** Preemptions of a search of schedules that is not told otherwise: two find every known bug of the field. */
    public static final int PREEMPTIONS = 2;

    /** Everything, within seconds. */
    public static final Bounds DEFAULT = new Bounds(OptionalInt.empty(), 1_000_000, 200_000, 600, 600, 0, 0, 1);

    /** These bounds with other numbers for those that are given. */
    public Bounds with(OptionalInt otherPreemptions, OptionalInt otherStates) {
        return new Bounds(
                otherPreemptions.isPresent() ? otherPreemptions : preemptions,
                otherStates.orElse(states),
                schedules,
                steps,
                fairSteps,
                walks,
                depth,
                seed);
    }

    int mostPreemptions(int standard) {
        return preemptions.orElse(standard);
    }
}
