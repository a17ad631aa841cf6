package kvasir.scripts.explore;

/**
 * How far a search goes.
 *
 * @param preemptions schedules with more are not run
 * @param schedules at most so many runs
 * @param steps a run that is longer is continued fairly, each task in turn
 * @param fairSteps a run that does not end within so many fair steps is a livelock
 */
public record Bounds(int preemptions, int schedules, int steps, int fairSteps) {
    /** Two preemptions find every known bug of the field; the rest keeps a search within seconds. */
    public static final Bounds DEFAULT = new Bounds(2, 200_000, 600, 600);
}
