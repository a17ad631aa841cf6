package kvasir.scripts.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/** Processor time of the thread that starts it: other work on the machine does not count. */
public final class Stopwatch {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private final long start = THREADS.getCurrentThreadCpuTime();

    private Stopwatch() {}

    /** A running stopwatch. */
    public static Stopwatch start() {
        return new Stopwatch();
    }

    /** Nanoseconds since the start. */
    public long nanos() {
        return THREADS.getCurrentThreadCpuTime() - start;
    }
}
