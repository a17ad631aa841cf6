package kvasir.scripts.js;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import kvasir.scripts.Machines;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunOptions;
import kvasir.scripts.RunSummary;
import kvasir.scripts.ScriptRunner;
import kvasir.scripts.runner.ScriptFiles;

/** Runs what is named in whichever language: KVS scripts first, then JavaScript modules. */
public final class SuiteRunner {
    private final ScriptRunner scripts;
    private final JavaScriptRunner modules;

    /** A runner whose scripts drive {@code machines}. */
    public SuiteRunner(Machines machines) {
        scripts = new ScriptRunner(machines);
        modules = new JavaScriptRunner(machines);
    }

    /**
     * Runs the scripts and modules at {@code paths}, and those below the folders among them. Each engine is started only
     * if there is something for it. Failures are told to {@code listener}, never thrown; the end is not told.
     */
    public RunSummary run(List<Path> paths, RunOptions options, RunListener listener) {
        var ofScripts = new ArrayList<Path>();
        var ofModules = new ArrayList<Path>();
        for (Path path : paths) {
            List<Path> found = JavaScriptRunner.modules(path);
            ofModules.addAll(found);
            boolean onlyModules = !found.isEmpty()
                    && ScriptFiles.expand(List.of(path)).stream().allMatch(JavaScriptFunction::isModule);
            if (!onlyModules) {
                ofScripts.add(path);
            }
        }
        var summary = new RunSummary(0, 0, 0, 0, 0);
        if (!ofScripts.isEmpty()) {
            summary = scripts.run(ofScripts, options, listener);
        }
        if (!ofModules.isEmpty() && summary.exitCode() != 130) {
            summary = summary.plus(modules.run(ofModules, options, listener));
        }
        return summary;
    }

    /** Ends the run on another thread soon and cleanly. */
    public void interrupt() {
        scripts.interrupt();
        modules.interrupt();
    }
}
