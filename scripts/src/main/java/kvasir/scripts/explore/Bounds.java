package kvasir.scripts.explore;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How far a search goes.
 *
 * @param preemptions schedules with more are not run; absent: a search of states has no such bound, one of schedules 2
 * @param states at most so many states, where states are searched
 * @param megabytes at most so much memory for states, where states are searched
 * @param schedules at most so many runs, where schedules are searched
 * @param steps a run that is longer is continued fairly, each task in turn
 * @param fairSteps a run that does not end within so many fair steps is a livelock
 * @param walks instead of a search, so many random schedules; 0 for a search
 * @param depth of a walk: 0 chooses uniformly at each step, {@code d} gives tasks random priorities that change at
 *     {@code d − 1} random steps (PCT)
 * @param seed of the walks
 * @param symmetry whether of states that differ only in which of several interchangeable tasks is which one is searched
 * @param merging whether steps that concern no other task are done together with the step before
 */
public record Bounds(
        OptionalInt preemptions,
        int states,
        int megabytes,
        int schedules,
        int steps,
        int fairSteps,
        int walks,
        int depth,
        long seed,
        boolean symmetry,
        boolean merging) {
    /** Preemptions of a search of schedules that is not told otherwise: two find every known bug of the field. */
    public static final int PREEMPTIONS = 2;

    /** Everything, within seconds. */
    public static final Bounds DEFAULT =
            new Bounds(OptionalInt.empty(), 1_000_000, 1024, 200_000, 600, 600, 0, 0, 1, true, true);

    /** What {@code explore} takes, but {@code replay}. */
    public static final List<String> NAMES = List.of(
            "preemptions",
            "states",
            "memory",
            "schedules",
            "steps",
            "fair_steps",
            "walks",
            "depth",
            "seed",
            "symmetry",
            "merging");

    /** Those of {@link #NAMES} that are on, as a number 1, or off, as a number 0. */
    public static final List<String> SWITCHES = List.of("symmetry", "merging");

    /** These bounds with another number for the one of that name, one of {@link #NAMES}; empty if there is none. */
    public Optional<Bounds> with(String name, int number) {
        if (!NAMES.contains(name)) {
            return Optional.empty();
        }
        return Optional.of(new Bounds(
                name.equals("preemptions") ? OptionalInt.of(number) : preemptions,
                name.equals("states") ? number : states,
                name.equals("memory") ? number : megabytes,
                name.equals("schedules") ? number : schedules,
                name.equals("steps") ? number : steps,
                name.equals("fair_steps") ? number : fairSteps,
                name.equals("walks") ? number : walks,
                name.equals("depth") ? number : depth,
                name.equals("seed") ? number : seed,
                name.equals("symmetry") ? number != 0 : symmetry,
                name.equals("merging") ? number != 0 : merging));
    }

    /** The least and the most that the bound of that name can be. */
    public static int least(String name) {
        return name.equals("preemptions") || name.equals("seed") || SWITCHES.contains(name) ? 0 : 1;
    }

    /** See {@link #least}. */
    public static int most(String name) {
        return switch (name) {
            case "preemptions", "depth" -> 100;
            case "steps", "fair_steps", "memory" -> 1_000_000;
            case "seed" -> Integer.MAX_VALUE;
            case "symmetry", "merging" -> 1;
            default -> 100_000_000;
        };
    }

    /** These bounds with other numbers for those that are given. */
    public Bounds with(OptionalInt otherPreemptions, OptionalInt otherStates) {
        Bounds bounds = this;
        if (otherPreemptions.isPresent()) {
            bounds = bounds.with("preemptions", otherPreemptions.getAsInt()).orElseThrow();
        }
        return otherStates.isPresent()
                ? bounds.with("states", otherStates.getAsInt()).orElseThrow()
                : bounds;
    }

    int mostPreemptions(int standard) {
        return preemptions.orElse(standard);
    }
}
