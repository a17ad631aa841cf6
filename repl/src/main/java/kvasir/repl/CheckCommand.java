package kvasir.repl;

import java.nio.file.Path;
import java.util.List;
import kvasir.scripts.Checker;
import kvasir.scripts.Failure;

/** {@code kvs check}. */
final class CheckCommand {
    private CheckCommand() {}

    static int run(CommandLine line, Console console) {
        List<Path> paths = line.operands().stream().map(Path::of).toList();
        List<Failure> failures = new Checker(Engine.machines()).check(paths);
        failures.forEach(failure -> console.out().println(failure.text() + "\n"));
        return failures.stream()
                .mapToInt(failure -> failure.kind().exitCode())
                .min()
                .orElse(0);
    }
}
