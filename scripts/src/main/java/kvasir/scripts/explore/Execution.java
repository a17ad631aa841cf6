package kvasir.scripts.explore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import kvasir.kvm.Footprint;
import kvasir.kvm.KernelLock;
import kvasir.kvm.Seam;
import kvasir.kvm.Seams;
import kvasir.registry.Outcome;
import kvasir.scripts.binding.Values;

/** Runs the real code of a race under one schedule and remembers where it could have gone otherwise. */
final class Execution implements Seams {
    private final Chooser chooser;
    private final Bounds bounds;
    private final LockOrder lockOrder;
    private final boolean trace;
    private final Scenario.Run run;
    private final Optional<Learner> learner;
    private final List<Actor> actors = new ArrayList<>();
    private final List<Step> steps = new ArrayList<>();
    private int current = -1;
    private boolean over;
    private int step;
    private Schedule taken = Schedule.DEFAULT;

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
        int round;
        final Set<KernelLock> locks = new LinkedHashSet<>();
        Optional<Outcome> outcome = Optional.empty();

        Actor(Scenario.Task task) {
            label = task.label();
            coroutine = new Coroutine(() -> outcome = Optional.of(task.body().get()));
        }
    }

    /** @param trace whether the steps are kept for {@link #steps()} */
    Execution(Scenario scenario, Chooser chooser, Bounds bounds, LockOrder lockOrder, boolean trace) {
        this(scenario, chooser, bounds, lockOrder, trace, Optional.empty());
    }

    /** A run whose steps are learnt. */
    Execution(Scenario scenario, Chooser chooser, Bounds bounds, LockOrder lockOrder, Learner.Knowledge knowledge) {
        this(scenario, chooser, bounds, lockOrder, false, Optional.of(knowledge));
    }

    private Execution(
            Scenario scenario,
            Chooser chooser,
            Bounds bounds,
            LockOrder lockOrder,
            boolean trace,
            Optional<Learner.Knowledge> knowledge) {
        this.chooser = chooser;
        this.bounds = bounds;
        this.lockOrder = lockOrder;
        this.trace = trace;
        run = scenario.begin(this);
        run.tasks().forEach(task -> actors.add(new Actor(task)));
        run.divide(actors.size(), this::task);
        learner = knowledge.map(known -> new Learner(known, run));
        learner.ifPresent(run::watch);
    }

    Verdict execute() {
        return execute(Integer.MAX_VALUE, 0);
    }

    /**
     * Runs until the end, or until {@code most} steps are done; after these for {@code more} as long as they teach
     * something.
     *
     * @return how it ended; {@link Verdict.Ended} too if it was stopped
     */
    Verdict execute(int most, int more) {
        try {
            return search(most, more);
        } finally {
            over = true;
            actors.forEach(actor -> actor.coroutine.abandon());
        }
    }

    private boolean enabled(int task) {
        Actor actor = actors.get(task);
        if (actor.coroutine.ended()) {
            return false;
        }
        if (actor.ready.isEmpty()) {
            return true;
        }
        BooleanSupplier condition = actor.ready.get();
        return learner.isPresent() ? learner.get().ready(task, condition) : condition.getAsBoolean();
    }

    private Verdict search(int most, int more) {
        while (true) {
            int enabled = 0;
            for (int i = 0; i < actors.size(); i++) {
                enabled |= enabled(i) ? 1 << i : 0;
            }
            if (enabled == 0) {
                List<String> waiting = actors.stream()
                        .filter(actor -> !actor.coroutine.ended())
                        .map(actor -> actor.label + " waits for " + actor.subject)
                        .toList();
                return waiting.isEmpty() ? new Verdict.Ended() : new Verdict.Deadlock(waiting);
            }
            if (step >= most && (step - most >= more || !learner.orElseThrow().novel())) {
                return new Verdict.Ended();
            }
            if (step >= bounds.steps() + bounds.fairSteps()) {
                return new Verdict.Livelock(actors.stream()
                        .filter(actor -> !actor.coroutine.ended())
                        .map(actor -> actor.label)
                        .toList());
            }
            advance(choose(enabled), enabled);
            Optional<String> violation = learner.isPresent() ? Optional.empty() : run.violation();
            if (violation.isPresent()) {
                return new Verdict.Violation(violation.get());
            }
        }
    }

    private int choose(int enabled) {
        int standard = standard(enabled);
        int chosen = chooser.choose(step, enabled, current);
        if (chosen < 0 || (enabled & 1 << chosen) == 0) {
            return standard;
        }
        if (chosen != standard) {
            taken = taken.then(step, chosen, current >= 0 && (enabled & 1 << current) != 0);
        }
        return chosen;
    }

    /** The task that ran goes on; the next in turn once the bound is passed, and the first one before. */
    private int standard(int enabled) {
        boolean goOn = current >= 0 && (enabled & 1 << current) != 0;
        if (goOn && step < bounds.steps()) {
            return current;
        }
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
        actor.seam = Optional.empty();
        learner.ifPresent(learning -> learning.starting(chosen));
        resume(actor);
        if (learner.isPresent()) {
            learn(learner.get(), chosen, actor);
        }
        if (step < bounds.steps()) {
            signatures[step] = learner.isPresent() ? 0 : Objects.hash(chosen, actor.seam, actor.subject.toString());
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

    /** What the learner refused is what counts, not what the kernel's code and the script made of that exception. */
    private void resume(Actor actor) {
        try {
            actor.coroutine.resume();
        } catch (RuntimeException thrown) {
            throw learner.flatMap(Learner::failure).orElse(thrown);
        }
    }

    private static void learn(Learner learning, int task, Actor actor) {
        if (learning.failure().isPresent()) {
            throw learning.failure().get();
        }
        boolean retries = actor.seam.isPresent() && actor.seam.get() == Seam.RETRY;
        learning.stopped(
                task,
                actor.ready.isPresent(),
                retries ? actor.subject.toString() : "",
                actor.round,
                actor.coroutine.ended() ? actor.outcome.map(Values::outcome).orElse("-") : "");
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
    public void spin(Object subject, int times) {
        if (current < 0 || over) {
            return;
        }
        actors.get(current).round = times;
        at(Seam.RETRY, subject);
    }

    @Override
    public void await(Object subject, BooleanSupplier ready) {
        if (over) {
            return;
        }
        if (current < 0) {
            SEQUENTIAL.await(subject, ready);
            return;
        }
        Actor actor = actors.get(current);
        actor.seam = Optional.of(Seam.LOCK);
        actor.subject = subject;
        actor.ready = Optional.of(ready);
        actor.coroutine.pause();
    }

    @Override
    public Footprint footprint() {
        return learner.isPresent() && !over ? learner.get() : Footprint.NONE;
    }

    @Override
    public int task() {
        return Math.max(current, 0);
    }

    /**
     * Adds every schedule that differs from this one in one choice behind its last. Of a run that ends in a loop only the
     * first time round counts: a later one would begin in the same state.
     */
    void alternatives(Schedule schedule, Consumer<Schedule> to) {
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

    EndState end() {
        return run.end();
    }

    Optional<String> violation() {
        return run.violation();
    }

    /** The run, for questions before and after it. */
    Scenario.Run run() {
        return run;
    }

    /** What the run taught, if it was to teach. */
    Optional<Learner> learner() {
        return learner;
    }

    /** The schedule that was taken, as what it has besides default choices. */
    Schedule taken() {
        return taken;
    }

    /** Who ran at each step, a letter each; of a run that ends in a loop, up to where it only repeats what was before. */
    String way() {
        var way = new StringBuilder();
        int last = Math.min(repeatsFrom(), Math.min(step, bounds.steps()));
        for (int at = 0; at < last; at++) {
            way.append((char) ('A' + (choices[at] >>> 16 & 0xff)));
        }
        return way.toString();
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
