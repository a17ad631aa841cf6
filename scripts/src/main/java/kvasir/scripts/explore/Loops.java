package kvasir.scripts.explore;

/** Finds out whether a run ended by going round in a loop. */
final class Loops {
    private static final int LONGEST = 64;
    private static final int ROUNDS = 6;

    private Loops() {}

    /**
     * Where the second round of a loop begins that lasts to the end of the run.
     *
     * @param steps what happened at each step
     * @param length how many count
     * @return the first step that only repeats, or {@code length} if the end of the run is no loop of at most 64 steps
     *     that went round six times
     */
    static int firstRepetition(int[] steps, int length) {
        for (int period = 1; period <= LONGEST && period * ROUNDS <= length; period++) {
            int from = length - period;
            while (from > 0 && steps[from - 1] == steps[from - 1 + period]) {
                from--;
            }
            if (length - from >= period * ROUNDS) {
                return from + period;
            }
        }
        return length;
    }
}
