package kvasir.scripts.explore;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import kvasir.kvm.Seam;

/**
 * One step of a replayed schedule.
 *
 * @param number from 0
 * @param task index of the task that ran
 * @param seam where it stopped; absent at its end
 * @param subject the lock, entry or slot in question
 * @param held the locks it held there, outermost first
 * @param preempts whether another task was running and could have gone on
 */
public record Step(int number, int task, Optional<Seam> seam, String subject, List<String> held, boolean preempts) {
    /** {@link #seam} as reports write it; empty at the task's end. */
    public String seamName() {
        return seam.map(each -> each.name().toLowerCase(Locale.ROOT)).orElse("");
    }

    /** A step whose seam is given as {@link #seamName} writes it. */
    public static Step named(
            int number, int task, String seamName, String subject, List<String> held, boolean preempts) {
        Optional<Seam> seam =
                seamName.isEmpty() ? Optional.empty() : Optional.of(Seam.valueOf(seamName.toUpperCase(Locale.ROOT)));
        return new Step(number, task, seam, subject, held, preempts);
    }
}
