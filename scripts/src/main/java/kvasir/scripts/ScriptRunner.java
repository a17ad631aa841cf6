package kvasir.scripts;

import java.nio.file.Path;
import java.util.List;

/** Runs scripts: every test under every semantics, each in a machine of its own. */
@SuppressWarnings("DoNotCallSuggester")
public final class ScriptRunner {
    private final Machines machines;

    /** A runner whose scripts drive {@code machines}. */
    public ScriptRunner(Machines machines) {
        this.machines = machines;
    }

    /**
     * Runs {@code paths} in the given order; a folder stands for the {@code .kvs} files below it, sorted.
     * Failures of scripts are told to {@code listener}, never thrown.
     */
    public RunSummary run(List<Path> paths, RunOptions options, RunListener listener) {
        throw new UnsupportedOperationException("not delivered yet: " + machines);
    }

    /** Ends the run on another thread soon and cleanly, with exit code 130. */
    public void interrupt() {
        throw new UnsupportedOperationException("not delivered yet");
    }
}
