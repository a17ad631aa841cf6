package kvasir.scripts.translate;

import com.oracle.truffle.api.CallTarget;
import java.util.List;
import java.util.Optional;
import kvasir.grammar.Span;
import kvasir.grammar.Statement;
import kvasir.scripts.explore.Bounds;
import kvasir.scripts.explore.Schedule;

/**
 * A race, ready to explore.
 *
 * @param tasks in source order
 * @param clauses what must hold over all schedules
 * @param bounds how far the search goes
 * @param replay the one schedule to run instead of a search
 */
public record RaceBody(List<Task> tasks, List<Clause> clauses, Bounds bounds, Optional<Schedule> replay)
        implements Program.Body {
    /**
     * What runs beside the others.
     *
     * @param target takes the execution and gives the value of the task's last operation
     */
    public record Task(String label, CallTarget target) {}

    /** A claim and how often it must hold. */
    public record Clause(Span span, Statement.Frequency frequency, Claim claim) {}

    /** What can be said of one schedule, or of all together. */
    public sealed interface Claim {}

    /** What the explorer itself finds. */
    public enum Known implements Claim {
        DEADLOCK,
        LIVELOCK,
        LOCK_ORDER_INVERSION,
        INVARIANT_VIOLATION,
        KVM_BUG
    }

    /**
     * A condition on outcomes and on the final state of a schedule in which all tasks ended.
     *
     * @param target takes the execution and the outcome of each task, and gives a boolean
     */
    public record Condition(CallTarget target) implements Claim {}
}
