package kvasir.scripts.runner;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.scripts.Machines;
import kvasir.scripts.RunOptions;
import kvasir.scripts.translate.Program;
import kvasir.scripts.translate.RaceBody;

/** The cases of a script: tests × semantics. */
final class Plan {
    private Plan() {}

    static List<Case> cases(Path file, Program program, Machines machines, RunOptions options) {
        var cases = new ArrayList<Case>();
        List<String> named = program.semantics().isEmpty() ? List.of(machines.defaultSemantics()) : program.semantics();
        boolean chosen = !options.semantics().isEmpty();
        List<String> selected = program.semantics().isEmpty() && chosen
                ? options.semantics()
                : named.stream()
                        .filter(name -> !chosen || options.semantics().contains(name))
                        .toList();
        boolean onlyRaces = options.explore().onlyRaces();
        List<Optional<Program.Test>> tests = program.tests().isEmpty()
                ? List.of(Optional.empty())
                : program.tests().stream().map(Optional::of).toList();
        for (Optional<Program.Test> test : tests) {
            if (onlyRaces && !test.map(each -> each.body() instanceof RaceBody).orElse(false)) {
                continue;
            }
            String name = test.map(Program.Test::name).orElseGet(() -> stem(file));
            if (!(file + ": " + name).contains(options.filter())) {
                continue;
            }
            for (String semantics : selected) {
                if (test.flatMap(Program.Test::only)
                        .map(only -> only.contains(semantics))
                        .orElse(true)) {
                    cases.add(new Case(file, program, test, name, semantics, ""));
                }
            }
            if (selected.isEmpty()) {
                String reason = "the script runs under " + String.join(", ", named) + " only";
                cases.add(new Case(file, program, test, name, String.join(", ", options.semantics()), reason));
            }
        }
        return cases;
    }

    private static String stem(Path file) {
        Path last = file.getFileName();
        String name = last == null ? file.toString() : last.toString();
        return name.endsWith(".kvs") ? name.substring(0, name.length() - 4) : name;
    }
}
