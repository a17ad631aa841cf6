package kvasir.scripts.explore;

import java.util.List;

/** How one run ended. */
public sealed interface Verdict {
    /** Every task ended. */
    record Ended() implements Verdict {}

    /**
     * Nobody can go on.
     *
     * @param waiting each waiting task and what it waits for: {@code A waits for td.mmu_lock}
     */
    record Deadlock(List<String> waiting) implements Verdict {}

    /**
     * The tasks run in turn and do not end.
     *
     * @param running labels of the tasks that have not ended
     * @param fairSteps steps they were given in turn
     */
    record Livelock(List<String> running, int fairSteps) implements Verdict {}

    /** An invariant does not hold. */
    record Violation(String statement) implements Verdict {}
}
