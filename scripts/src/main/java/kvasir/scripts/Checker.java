package kvasir.scripts;

import java.nio.file.Path;
import java.util.List;

/** Tells what is wrong with scripts without running them: syntax, names, kinds, units, imports. */
@SuppressWarnings("DoNotCallSuggester")
public final class Checker {
    private final Machines machines;

    /** A checker that knows what {@code machines} can do. */
    public Checker(Machines machines) {
        this.machines = machines;
    }

    /** Everything wrong with the scripts at {@code paths} (files, or folders of them), in order of file and position. */
    public List<Failure> check(List<Path> paths) {
        throw new UnsupportedOperationException("not delivered yet: " + machines);
    }

    /** Everything wrong with {@code text}; {@code file} gives it a name and its imports a folder. */
    public List<Failure> check(Path file, String text) {
        throw new UnsupportedOperationException("not delivered yet: " + machines);
    }
}
