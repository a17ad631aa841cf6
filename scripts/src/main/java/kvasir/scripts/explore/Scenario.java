package kvasir.scripts.explore;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import kvasir.kvm.Seams;
import kvasir.registry.Outcome;

/** A race: makes a machine in the same state again and again. */
@FunctionalInterface
public interface Scenario {
    /**
     * Prepares one run.
     *
     * @param seams to be put under the machine before a task runs
     */
    Run begin(Seams seams);

    /** One prepared run. */
    interface Run {
        /** The tasks, in the order of the race. */
        List<Task> tasks();

        /** What is wrong with the machine now, if an invariant is violated; asked after every step. */
        Optional<String> violation();

        /** What the race looks at when all tasks have ended, in words; runs that differ in it are told apart. */
        String finalState();

        /** The run is over; nothing is asked of it any more. */
        void close();
    }

    /**
     * One line of a race.
     *
     * @param label its name
     * @param body what it does
     */
    record Task(String label, Supplier<Outcome> body) {}
}
