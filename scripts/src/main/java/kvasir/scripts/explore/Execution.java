package kvasir.scripts.explore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import kvasir.kvm.KernelLock;
import kvasir.kvm.Seam;
import kvasir.kvm.Seams;
import kvasir.registry.Outcome;
import kvasir.scripts.binding.Values;

/** Runs one schedule and remembers where it could have gone otherwise. */
final class Execution implements Seams {
    private final Schedule schedule;
    private final Bounds bounds;
    private final LockOrder lockOrder;
    private final boolean trace;
    private final Scenario.Run run;
    private final List<Actor> actors = new ArrayList<>();
    private final List<Step> steps = new ArrayList<>();
    private int current = -1;
    private boolean over;
    private int step;

    /** Per step: the set of tasks that could run in the low half, the task that did, whether the one before could go on. */
    private int[] choices = new int[256];

    /** Per step: who stopped where, so that a loop that goes nowhere is seen. */
    private int[] signatures = new int[256];

    /** A task in motion. */
    private static final class Actor {
        final String label;
        final Coroutine coroutine;
        Optional<BooleanSupplier> ready = Optional.empty();
        Object subject = "";
        Optional<Seam> seam = Optional.empty();
        final Set<KernelLock> locks = new LinkedHashSet<>();
        Optional<Outcome> outcome = Optional.empty();

        Actor(Scenario.Task task) {
            label = task.label();
            coroutine = new Coroutine(() -> outcome = Optional.of(task.body().get()));
        }

        boolean enabled() {
            return !coroutine.ended()
                    && ready.map(BooleanSupplier::getAsBoolean).orElse(true);
        }
    }

    /** @param trace whether the steps are kept for {@link #steps()} */
    Execution(Scenario scenario, Schedule schedule, Bounds bounds, LockOrder lockOrder, boolean trace) {
        this.schedule = schedule;
        this.bounds = bounds;
        this.lockOrder = lockOrder;
        this.trace = trace;
        run = scenario.begin(this);
        run.tasks().forEach(task -> actors.add(new Actor(task)));
    }

    Verdict execute() {
        try {
            return search();
        } finally {
            actors.forEach(actor -> actor.coroutine.abandon());
            over = true;
        }
    }

    private Verdict search() {
        while (true) {
            int enabled = 0;
            for (int i = 0; i < actors.size(); i++) {
                enabled |= actors.get(i).enabled() ? 1 << i : 0;
            }
            if (enabled == 0) {
                List<String> waiting = actors.stream()
                        .filter(actor -> !actor.coroutine.ended())
                        .map(actor -> actor.label + " waits for " + actor.subject)
                        .toList();
                return waiting.isEmpty() ? new Verdict.Ended() : new Verdict.Deadlock(waiting);
            }
            if (step >= bounds.steps() + bounds.fairSteps()) {
                return new Verdict.Livelock(
                        actors.stream()
                                .filter(actor -> !actor.coroutine.ended())
                                .map(actor -> actor.label)
                                .toList(),
                        bounds.fairSteps());
            }
            advance(choose(enabled), enabled);
            Optional<String> violation = run.violation();
            if (violation.isPresent()) {
                return new Verdict.Violation(violation.get());
            }
        }
    }

    private int choose(int enabled) {
        int chosen = schedule.choice(step);
        if (chosen >= 0 && (enabled & 1 << chosen) != 0) {
            return chosen;
        }
        boolean goOn = current >= 0 && (enabled & 1 << current) != 0;
        if (goOn && step < bounds.steps()) {
            return current;
        }
        // the next in turn: fair once the bound is passed, and the first one before
        int from = step < bounds.steps() ? 0 : current + 1;
        for (int i = 0; i < actors.size(); i++) {
            int candidate = (from + i) % actors.size();
            if ((enabled & 1 << candidate) != 0) {
                return candidate;
            }
        }
        throw new IllegalStateException("no task is enabled");
    }

    private void advance(int chosen, int enabled) {
        boolean preempts = current >= 0 && current != chosen && (enabled & 1 << current) != 0;
        if (step < bounds.steps()) {
            if (step == choices.length) {
                choices = Arrays.copyOf(choices, step * 2);
                signatures = Arrays.copyOf(signatures, step * 2);
            }
            boolean currentEnabled = current >= 0 && (enabled & 1 << current) != 0;
            choices[step] = enabled | chosen << 16 | (currentEnabled ? 1 << 30 : 0);
        }
        current = chosen;
        Actor actor = actors.get(chosen);
        actor.ready = Optional.empty();
        actor.coroutine.resume();
        if (step < bounds.steps()) {
            signatures[step] = Objects.hash(chosen, actor.seam, actor.subject.toString());
        }
        if (trace) {
            boolean ended = actor.coroutine.ended();
            steps.add(new Step(
                    step,
                    chosen,
                    ended ? Optional.empty() : actor.seam,
                    ended ? "" : actor.subject.toString(),
                    heldBy(chosen),
                    preempts));
        }
        step++;
    }

    @Override
    public void at(Seam seam, Object subject) {
        if (current < 0 || over) {
            return;
        }
        Actor actor = actors.get(current);
        actor.seam = Optional.of(seam);
        actor.subject = subject;
        if (subject instanceof KernelLock lock) {
            if (seam == Seam.LOCK) {
                heldBy(current).forEach(outer -> lockOrder.add(outer, lock.name()));
                actor.locks.add(lock);
            }
        }
        actor.coroutine.pause();
    }

    @Override
    public void await(Object subject, BooleanSupplier ready) {
        if (current < 0 || over) {
            SEQUENTIAL.await(subject, ready);
            return;
        }
        Actor actor = actors.get(current);
        actor.subject = subject;
        actor.ready = Optional.of(ready);
        actor.coroutine.pause();
    }

    @Override
    public int task() {
        return Math.max(current, 0);
    }

    /**
     * Adds every schedule that differs from this one in one choice behind its last. Of a run that ends in a loop only the
     * first time round counts: a later one would begin in the same state.
     */
    void alternatives(java.util.function.Consumer<Schedule> to) {
        for (int at = schedule.firstFree(); at < Math.min(repeatsFrom(), bounds.steps()); at++) {
            int enabled = choices[at] & 0xffff;
            int chosen = choices[at] >>> 16 & 0xff;
            boolean preempts = (choices[at] & 1 << 30) != 0;
            for (int task = 0; task < actors.size(); task++) {
                if (task != chosen && (enabled & 1 << task) != 0) {
                    to.accept(schedule.then(at, task, preempts));
                }
            }
        }
    }

    private List<String> heldBy(int task) {
        return actors.get(task).locks.stream()
                .filter(lock -> lock.heldBy(task))
                .map(KernelLock::name)
                .toList();
    }

    /** How each task ended, by label; a task that has not is {@code -}. */
    String outcomes() {
        var text = new StringBuilder();
        for (Actor actor : actors) {
            text.append(text.isEmpty() ? "" : ", ")
                    .append(actor.label)
                    .append(' ')
                    .append(actor.outcome.map(Values::outcome).orElse("-"));
        }
        return text.toString();
    }

    String finalState() {
        return run.finalState();
    }

    /** The first step that only repeats what was before; the number of steps if the run did not end in a loop. */
    int repeatsFrom() {
        int recorded = Math.min(step, bounds.steps());
        int from = Loops.firstRepetition(signatures, recorded);
        return from < recorded ? from : step;
    }

    void close() {
        run.close();
    }

    List<Step> steps() {
        return steps;
    }

    int length() {
        return step;
    }
}
