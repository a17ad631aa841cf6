package kvasir.scripts.explore;

import java.util.List;
import java.util.Optional;

/**
 * What a search found.
 *
 * @param outcomes each distinct end, in the order found
 * @param schedules runs
 * @param steps steps over all runs
 * @param bound what stopped the search before everything within the preemption bound was run; absent if complete
 * @param preemptions the preemption bound
 * @param exhaustive whether no schedule at all was left out, so that the preemption bound did not matter
 * @param lockInversion the locks of a cycle in the lock order, if there is one
 */
public record Exploration(
        List<Distinct> outcomes,
        int schedules,
        long steps,
        Optional<String> bound,
        int preemptions,
        boolean exhaustive,
        Optional<List<String>> lockInversion) {

    /**
     * One distinct end.
     *
     * @param verdict how the run ended
     * @param outcomes how the tasks ended, in words
     * @param finalState what the race looked at
     * @param count schedules that ended so
     * @param witness the first of them: none has fewer preemptions
     */
    public record Distinct(Verdict verdict, String outcomes, String finalState, int count, Schedule witness) {}

    /** {@code complete (1,234 schedules)} or {@code bounded (...)}: never silence. */
    public String completeness() {
        if (bound.isPresent()) {
            return "bounded (%s)".formatted(bound.get());
        }
        return exhaustive
                ? "complete (%,d schedules)".formatted(schedules)
                : "complete up to %d preemptions (%,d schedules)".formatted(preemptions, schedules);
    }
}
