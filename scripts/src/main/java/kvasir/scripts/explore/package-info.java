/**
 * The explorer: runs the tasks of a race under every schedule, switching only at the kernel's seams (design decision D7),
 * and tells what can happen.
 *
 * <p>{@link kvasir.scripts.explore.Explorer} searches states where the machine tells all of its state, and schedules from
 * the start where it does not. A state's successors come from steps that were learnt from runs of the real code
 * ({@code Learner}, {@code StepTrees}); what is not known yet is run. {@code Endings} reads livelocks and counts off the
 * graph of states.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>task</b>: one line of a race; {@code A} is the first.
 *   <li><b>step</b>: what a task does from one seam to the next.
 *   <li><b>cell</b>: a number that tasks share, told at the seams by {@link kvasir.kvm.Footprint}.
 *   <li><b>place</b>: where a task stands: what it observed on its way and still matters.
 *   <li><b>gate</b>: what a waiting task waits for.
 *   <li><b>state</b>: the cells, the place of each task, and which task ran last if it could go on.
 *   <li><b>preemption</b>: a switch away from a task that could have gone on.
 *   <li><b>schedule</b>: the steps at which something else was chosen than the default, which is to go on.
 *   <li><b>token</b>: a schedule in writing, {@code k1:12B}, for {@code --replay}.
 *   <li><b>livelock</b>: a state from which no schedule ends all tasks.
 * </ul>
 */
@NullMarked
package kvasir.scripts.explore;

import org.jspecify.annotations.NullMarked;
