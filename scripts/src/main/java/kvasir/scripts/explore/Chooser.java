package kvasir.scripts.explore;

/** Who runs next. */
@FunctionalInterface
interface Chooser {
    /** The default: the task that ran goes on, or the first that can if it cannot. */
    int DEFAULT = -1;

    /**
     * Decides a step.
     *
     * @param step from 0
     * @param enabled the tasks that can run, a bit each
     * @param current the task that ran last; −1 at the start
     * @return an enabled task, or {@link #DEFAULT}
     */
    int choose(int step, int enabled, int current);
}
