/**
 * The explorer: runs the tasks of a race under every schedule within bounds, switching only at the kernel's seams
 * (design decision D7), and tells what can happen.
 *
 * <p>The search is stateless and systematic: a schedule is run from a fresh machine, its choices are recorded, and each
 * choice that could have gone otherwise is a new schedule. Schedules are taken in the order of their preemptions, so
 * the first one that shows something has as few as possible.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>task</b>: one line of a race; {@code A} is the first.
 *   <li><b>step</b>: what a task does from one seam to the next.
 *   <li><b>preemption</b>: a switch away from a task that could have gone on.
 *   <li><b>schedule</b>: the steps at which something else was chosen than the default, which is to go on.
 *   <li><b>token</b>: a schedule in writing, {@code k1:12B}, for {@code --replay}.
 *   <li><b>livelock</b>: tasks that can run, do run in turn, and do not end.
 * </ul>
 */
@NullMarked
package kvasir.scripts.explore;

import org.jspecify.annotations.NullMarked;
