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
     * From here on no schedule ends all tasks; a run in which they take turns goes on for ever.
     *
     * @param running labels of the tasks that never end
     */
    record Livelock(List<String> running) implements Verdict {}

    /** An invariant does not hold. */
    record Violation(String statement) implements Verdict {}
}
