package kvasir.scripts.explore;

import java.util.List;
import java.util.Optional;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import kvasir.kvm.Seams;
import kvasir.metal.memory.MemoryWatch;
import kvasir.metal.memory.PhysicalMemory;
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

        /** Whether {@link #violation()} is asked for at all. */
        default boolean watchesInvariants() {
            return true;
        }

        /** What the race looks at when all tasks have ended. */
        EndState end();

        /** Gives each task host pages of its own, so that which page one gets does not depend on the others. */
        default void divide(int tasks, IntSupplier running) {}

        /** Whether {@link #fingerprint} and what is told at the seams say everything about the machine. */
        default boolean fingerprinted() {
            return false;
        }

        /** All state that is not told at the seams, as a number that is the same for the same state in every run. */
        default long fingerprint() {
            return 0;
        }

        /** The machine's memory. */
        default PhysicalMemory memory() {
            throw new IllegalStateException("this scenario has no memory");
        }

        /** Tells {@code watch} of every access to memory from now on. */
        default void watch(MemoryWatch watch) {}

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
