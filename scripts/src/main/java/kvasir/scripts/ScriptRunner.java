package kvasir.scripts;

import java.nio.file.Path;
import java.util.List;
import kvasir.scripts.runner.Run;
import org.jspecify.annotations.Nullable;

/** Runs scripts: every test under every semantics, each in a machine of its own. */
public final class ScriptRunner {
    private final Machines machines;
    private volatile boolean interrupted;
    private volatile @Nullable Run running;

    /** A runner whose scripts drive {@code machines}. */
    public ScriptRunner(Machines machines) {
        this.machines = machines;
    }

    /**
     * Runs {@code paths} in the given order; a folder stands for the {@code .kvs} files below it, sorted.
     * Failures of scripts are told to {@code listener}, never thrown.
     */
    public RunSummary run(List<Path> paths, RunOptions options, RunListener listener) {
        var run = new Run(machines, options, listener, () -> interrupted);
        running = run;
        try {
            return run.all(paths);
        } finally {
            running = null;
        }
    }

    /** Ends the run on another thread soon and cleanly, with exit code 130. */
    public void interrupt() {
        interrupted = true;
        Run run = running;
        if (run != null) {
            run.interrupt();
        }
    }
}
