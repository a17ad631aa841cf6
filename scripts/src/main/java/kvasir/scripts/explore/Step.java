package kvasir.scripts.explore;

import java.util.List;
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
public record Step(
        int number, int task, java.util.Optional<Seam> seam, String subject, List<String> held, boolean preempts) {}
