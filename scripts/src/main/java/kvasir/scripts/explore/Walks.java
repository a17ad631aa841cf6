package kvasir.scripts.explore;

import java.util.Arrays;
import java.util.SplittableRandom;

/** Random schedulers. */
final class Walks {
    private static final int MOST_TASKS = 16;

    private Walks() {}

    /** Each step goes to any task that can run. */
    static Chooser uniform(SplittableRandom random) {
        return (step, enabled, current) -> {
            int pick = random.nextInt(Integer.bitCount(enabled));
            int left = enabled;
            for (int i = 0; i < pick; i++) {
                left &= left - 1;
            }
            return Integer.numberOfTrailingZeros(left);
        };
    }

    /**
     * Probabilistic concurrency testing (Burckhardt et al., 2010): the task with the highest random priority runs; at
     * {@code depth - 1} random steps the running task's priority becomes the lowest. A bug of that depth is found with
     * probability at least 1 / (tasks × length^(depth−1)).
     *
     * @param length steps of a run, as far as known
     * @param fairFrom step from which on the default takes over, so that a loop that waits for others ends
     */
    static Chooser pct(SplittableRandom random, int depth, int length, int fairFrom) {
        int[] priorities = new int[MOST_TASKS];
        for (int i = 0; i < MOST_TASKS; i++) {
            int at = random.nextInt(i + 1);
            priorities[i] = priorities[at];
            priorities[at] = depth + i;
        }
        int[] changes = random.ints(Math.max(0, depth - 1), 0, length).toArray();
        Arrays.sort(changes);
        return (step, enabled, current) -> {
            if (step >= fairFrom) {
                return Chooser.DEFAULT;
            }
            for (int i = 0; i < changes.length; i++) {
                if (changes[i] == step && current >= 0) {
                    priorities[current] = i;
                }
            }
            int best = Chooser.DEFAULT;
            for (int task = 0; task < MOST_TASKS; task++) {
                if ((enabled >> task & 1) != 0 && (best < 0 || priorities[task] > priorities[best])) {
                    best = task;
                }
            }
            return best;
        };
    }
}
