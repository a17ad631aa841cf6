package kvasir.kvm;

import java.util.function.BooleanSupplier;

/**
 * Who runs next at a seam (design decision D7). The default goes on with the same task, so that every task runs to
 * completion.
 */
public interface Seams {
    /** Nothing happens at a seam; a task that would have to wait is deadlocked. */
    Seams SEQUENTIAL = new Seams() {
        @Override
        public void at(Seam seam, Object subject) {}

        @Override
        public boolean sequential() {
            return true;
        }

        @Override
        public void spin(Object subject, int times) {
            if (times >= SPINS) {
                throw new Livelock(subject);
            }
        }

        @Override
        public void await(Object subject, BooleanSupplier ready) {
            if (!ready.getAsBoolean()) {
                throw new Deadlock(subject);
            }
        }
    };

    /** A task waits for something that no other task can bring about. */
    final class Deadlock extends RuntimeException {
        private static final long serialVersionUID = 1;

        /** @param subject what is waited for: its {@code toString} is its name */
        public Deadlock(Object subject) {
            super("deadlock: waiting for " + subject);
        }
    }

    /** A task goes round a loop that no other task can end. */
    final class Livelock extends RuntimeException {
        private static final long serialVersionUID = 1;

        /** @param subject what is retried: its {@code toString} is its name */
        public Livelock(Object subject) {
            super("livelock: " + subject + " retries for ever");
        }
    }

    /**
     * A task has failed to make progress and tries again; others should run meanwhile. With nobody else to run, a loop
     * that has gone round {@link #SPINS} times will go round for ever, and a {@link Livelock} is thrown.
     *
     * @param subject what is retried
     * @param times how often it was tried already
     */
    default void spin(Object subject, int times) {
        at(Seam.RETRY, subject);
    }

    /** Turns of a retry loop after which it is taken to be endless. */
    int SPINS = 100;

    /**
     * The kernel is at a seam; another task may run here.
     *
     * @param subject the lock, table entry or slot set in question; its {@code toString} names it
     */
    void at(Seam seam, Object subject);

    /** The task goes on once {@code ready}; {@code ready} has no side effects. */
    void await(Object subject, BooleanSupplier ready);

    /** Whether nobody can run in between: the seams need not be told. */
    default boolean sequential() {
        return false;
    }

    /** Who hears what the running task observes and changes. */
    default Footprint footprint() {
        return Footprint.NONE;
    }

    /** A number for the running task, from 0. */
    default int task() {
        return 0;
    }
}
