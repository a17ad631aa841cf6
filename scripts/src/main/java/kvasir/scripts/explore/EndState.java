package kvasir.scripts.explore;

import java.util.List;

/**
 * What a race looks at when all tasks have ended; runs that differ in it are told apart.
 *
 * @param kernelBug whether the kernel ran into a bug check
 * @param holds for each condition of the race, whether it holds
 */
public record EndState(boolean kernelBug, List<Boolean> holds) {
    /** Stands where a run did not end. */
    public static final EndState NONE = new EndState(false, List.of());
}
