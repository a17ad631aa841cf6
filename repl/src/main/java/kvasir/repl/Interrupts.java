package kvasir.repl;

import java.util.function.Supplier;

/** Ctrl-C while something long goes on: it is asked to end, may tell how far it came, and the process exits with 130. */
final class Interrupts {
    private static final long GRACE_MILLIS = 2000;

    private Interrupts() {}

    /**
     * Does {@code work} on this thread.
     *
     * @param stop called on another thread when the person presses Ctrl-C; makes {@code work} return soon
     */
    static <R> R during(Runnable stop, Supplier<R> work) {
        Thread worker = Thread.currentThread();
        // The only way to hear of the signal that the platform promises. Main halts the process when it is done,
        // which ends the wait below.
        var hook = new Thread(() -> {
            stop.run();
            try {
                worker.join(GRACE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            Runtime.getRuntime().halt(130);
        });
        Runtime.getRuntime().addShutdownHook(hook);
        R result = work.get();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The signal has come: the caller reports what it has and halts.
            return result;
        }
        return result;
    }
}
