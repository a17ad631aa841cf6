package kvasir.scripts.explore;

import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * A task that runs only between {@link #resume()} and its next {@link #pause()}. It has a virtual thread for its stack,
 * but only one of the two sides ever runs.
 */
final class Coroutine {
    private final Thread thread;
    private volatile boolean running;
    private volatile boolean ended;
    private volatile boolean abandoned;
    private volatile Optional<Throwable> failure = Optional.empty();
    private volatile Thread caller = Thread.currentThread();

    /** Unwinds a task whose run is over. */
    private static final class Abandoned extends RuntimeException {
        private static final long serialVersionUID = 1;

        Abandoned() {
            super("the run was abandoned", null, false, false);
        }
    }

    Coroutine(Runnable body) {
        thread = Thread.ofVirtual().unstarted(() -> {
            try {
                body.run();
            } catch (Abandoned expected) {
                // the run is over and nobody asks for its result
            } catch (Throwable thrown) {
                failure = Optional.of(thrown);
            }
            ended = true;
            running = false;
            LockSupport.unpark(caller);
        });
    }

    /** Lets the task run to its next pause or to its end; rethrows what it threw. */
    void resume() {
        caller = Thread.currentThread();
        running = true;
        if (thread.getState() == Thread.State.NEW) {
            thread.start();
        } else {
            LockSupport.unpark(thread);
        }
        while (running) {
            LockSupport.park(this);
        }
        if (failure.isPresent() && !abandoned) {
            throw failure.get() instanceof RuntimeException own ? own : new TaskFailedException(failure.get());
        }
    }

    /** A task threw an error, not an exception: a bug of ours. */
    static final class TaskFailedException extends RuntimeException {
        private static final long serialVersionUID = 1;

        TaskFailedException(Throwable cause) {
            super(cause);
        }
    }

    /** Called by the task: gives control back until resumed. While the task unwinds, nothing happens. */
    void pause() {
        if (abandoned) {
            return;
        }
        running = false;
        LockSupport.unpark(caller);
        while (!running) {
            LockSupport.park(this);
        }
        if (abandoned) {
            throw new Abandoned();
        }
    }

    boolean ended() {
        return ended;
    }

    /** Ends a task that has not ended by unwinding its stack. */
    void abandon() {
        if (!ended && thread.getState() != Thread.State.NEW) {
            abandoned = true;
            resume();
        }
    }
}
