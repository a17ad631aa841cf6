package kvasir.repl;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import kvasir.scripts.KvasirMachines;
import kvasir.scripts.RunOptions;
import kvasir.scripts.binding.Spelling;

/** The options that say how scripts run. */
final class Options {
    private Options() {}

    /** What is wrong with the values given, if anything. */
    static Optional<String> wrong(CommandLine line) {
        for (String name : List.of("--seed", "--budget")) {
            Optional<String> value = line.value(name);
            if (value.isPresent() && !value.get().matches("[0-9]{1,18}")) {
                return Optional.of("option `" + name + "` needs a number, not `" + value.get() + "`");
            }
        }
        if (line.value("--budget").filter(value -> Long.parseLong(value) == 0).isPresent()) {
            return Optional.of("option `--budget` needs at least 1");
        }
        Optional<String> engine = line.value("--engine");
        if (engine.isPresent() && !KvasirMachines.engines().contains(engine.get())) {
            return Optional.of(
                    "unknown engine `" + engine.get() + "`: there is " + String.join(", ", KvasirMachines.engines()));
        }
        List<String> known = line.has("--semantics") ? Engine.machines().semantics() : List.of();
        for (String name : semantics(line)) {
            if (!known.contains(name)) {
                return Optional.of("unknown semantics `" + name + "`"
                        + Spelling.help(name, known).map(help -> ": " + help).orElse(""));
            }
        }
        return Optional.empty();
    }

    /** The options; {@link #wrong} has found nothing. */
    static RunOptions read(CommandLine line) {
        RunOptions defaults = RunOptions.defaults();
        return new RunOptions(
                line.value("--filter").orElse(""),
                semantics(line),
                line.has("--trace"),
                line.has("--update"),
                line.value("--seed").map(Long::parseLong).orElse(defaults.seed()),
                line.value("--budget").map(Long::parseLong).orElse(defaults.instructionBudget()),
                defaults.explore(),
                line.has("--invariants"));
    }

    private static List<String> semantics(CommandLine line) {
        return line.value("--semantics").stream()
                .flatMap(names -> Stream.of(names.split(",", -1)))
                .map(String::strip)
                .toList();
    }
}
