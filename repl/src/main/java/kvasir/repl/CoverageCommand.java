package kvasir.repl;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import kvasir.scripts.binding.Spelling;
import kvasir.scripts.coverage.Coverage;
import kvasir.scripts.coverage.CoverageRun;
import kvasir.scripts.coverage.Coverages;

/** {@code kvs coverage}: a line for each construct, then the rows that nothing provoked. */
final class CoverageCommand {
    private CoverageCommand() {}

    static int run(CommandLine line, Console console) {
        String word = line.operands().getFirst();
        Optional<Coverage> coverage = Coverages.all().stream()
                .filter(each -> each.word().equals(word))
                .findFirst();
        if (coverage.isEmpty()) {
            List<String> known = Coverages.all().stream().map(Coverage::word).toList();
            console.err()
                    .println("kvs: unknown coverage `" + word + "`"
                            + Spelling.help(word, known)
                                    .map(help -> "; " + help)
                                    .orElse("; there is " + String.join(", ", known)));
            return 1;
        }
        List<String> named = line.operands().subList(1, line.operands().size());
        List<Path> suites = (named.isEmpty() ? coverage.get().suites() : named)
                .stream().map(Path::of).toList();
        CoverageRun.Result result = new CoverageRun(coverage.get()).run(Engine.machines(), suites);
        print(result, console);
        result.troubles().forEach(text -> console.err().println("\n" + text));
        return result.summary().exitCode();
    }

    private static void print(CoverageRun.Result result, Console console) {
        int width = result.groups().stream()
                .mapToInt(group -> group.name().length())
                .max()
                .orElse(0);
        for (CoverageRun.Group group : result.groups()) {
            console.out().println(line(width, group.name(), group.provoked(), group.known()));
        }
        console.out().println(line(width, "all", result.provoked(), result.known()));
        if (result.provoked() == result.known()) {
            return;
        }
        console.out().println("\nnot provoked:");
        for (CoverageRun.Group group : result.groups()) {
            group.missing().forEach(name -> console.out().println("  " + group.name() + ": " + name));
        }
    }

    private static String line(int width, String name, int provoked, int known) {
        return String.format(
                Locale.ROOT,
                "%-" + Math.max(1, width) + "s  %4d / %4d  %5.1f %%",
                name,
                provoked,
                known,
                100.0 * provoked / Math.max(1, known));
    }
}
