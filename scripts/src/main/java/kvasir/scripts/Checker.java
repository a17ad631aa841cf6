package kvasir.scripts;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import kvasir.scripts.runner.ScriptFiles;
import kvasir.scripts.translate.Loader;

/** Tells what is wrong with scripts without running them: syntax, names, kinds, units, imports. */
public final class Checker {
    private final Machines machines;

    /** A checker that knows what {@code machines} can do. */
    public Checker(Machines machines) {
        this.machines = machines;
    }

    /** Everything wrong with the scripts at {@code paths} (files, or folders of them), in order of file and position. */
    public List<Failure> check(List<Path> paths) {
        var failures = new ArrayList<Failure>();
        for (Path file : ScriptFiles.expand(paths)) {
            switch (ScriptFiles.read(file)) {
                case ScriptFiles.Content.Unreadable(var failure) -> failures.add(failure);
                case ScriptFiles.Content.Text(var text) -> failures.addAll(check(file, text));
            }
        }
        return failures;
    }

    /** Everything wrong with {@code text}; {@code file} gives it a name and its imports a folder. */
    public List<Failure> check(Path file, String text) {
        return new Loader(machines)
                .load(file, text).diagnostics().stream().map(Failure::of).toList();
    }
}
