package kvasir.repl;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import kvasir.scripts.bench.Benchmark;
import kvasir.scripts.bench.Benchmarks;
import kvasir.scripts.binding.Spelling;

/** {@code kvs bench}: a table for each comparison, medians of the rounds. */
final class BenchCommand {
    private static final int ROUNDS = 5;

    private BenchCommand() {}

    static int run(CommandLine line, Console console) {
        String word = line.operands().getFirst();
        Optional<Benchmark> benchmark = Benchmarks.all().stream()
                .filter(each -> each.word().equals(word))
                .findFirst();
        if (benchmark.isEmpty()) {
            List<String> known = Benchmarks.all().stream().map(Benchmark::word).toList();
            console.err()
                    .println("kvs: unknown benchmark `" + word + "`"
                            + Spelling.help(word, known)
                                    .map(help -> "; " + help)
                                    .orElse("; there is " + String.join(", ", known)));
            return 1;
        }
        Optional<String> wanted = line.value("--rounds");
        if (wanted.filter(rounds -> !rounds.matches("[1-9][0-9]{0,3}")).isPresent()) {
            console.err().println("kvs: option `--rounds` needs a number from 1 to 9999, not `" + wanted.get() + "`");
            return 1;
        }
        int rounds = wanted.map(Integer::parseInt).orElse(ROUNDS);
        console.out().println(benchmark.get().doc());
        console.out()
                .println("medians of " + rounds + " rounds, processor time; ratio: to the first line of each table");
        List<Benchmark.Comparison> comparisons = benchmark.get().comparisons();
        Map<String, List<Benchmarks.Reached>> reached = new LinkedHashMap<>();
        for (Benchmark.Comparison comparison : comparisons) {
            console.out().println("\n" + comparison.title());
            console.out().flush();
            List<Benchmarks.Reached> lines = Benchmarks.measure(comparison, rounds, what -> stand(what, console));
            stand("", console);
            print(lines, console);
            reached.put(comparison.title(), lines);
        }
        if (comparable(reached.values())) {
            table(reached, console);
        }
        return 0;
    }

    /** At a terminal, what is being measured, in a line that the next one replaces. */
    private static void stand(String what, Console console) {
        if (console.colours()) {
            console.out().print("\r\u001b[K" + console.faint(what));
            console.out().flush();
        }
    }

    /** Whether every table has the same lines, more than one. */
    private static boolean comparable(Collection<List<Benchmarks.Reached>> tables) {
        Set<List<String>> names = tables.stream().map(BenchCommand::names).collect(Collectors.toSet());
        return tables.size() > 1 && names.size() == 1 && names.iterator().next().size() > 1;
    }

    private static List<String> names(List<Benchmarks.Reached> lines) {
        return lines.stream().map(line -> line.workload().name()).toList();
    }

    /** All of it once more, in Markdown, with the geometric means of the ratios. */
    private static void table(Map<String, List<Benchmarks.Reached>> reached, Console console) {
        List<String> names = names(reached.values().iterator().next());
        var text = new StringBuilder("\n| units a second |");
        names.forEach(name -> text.append(' ').append(name).append(" |"));
        text.append("\n|").append("---|".repeat(names.size() + 1));
        reached.forEach((title, lines) -> {
            text.append("\n| ").append(title).append(" |");
            for (Benchmarks.Reached line : lines) {
                text.append(String.format(Locale.ROOT, " %s (%.2f) |", amount(line.rate()), line.ratio()));
            }
        });
        text.append("\n| geometric mean of the ratios |");
        for (int i = 0; i < names.size(); i++) {
            int column = i;
            double logarithms = reached.values().stream()
                    .mapToDouble(lines -> Math.log(lines.get(column).ratio()))
                    .sum();
            text.append(String.format(Locale.ROOT, " %.2f |", Math.exp(logarithms / reached.size())));
        }
        console.out().println(text);
    }

    private static void print(List<Benchmarks.Reached> lines, Console console) {
        int width = lines.stream()
                .mapToInt(line -> line.workload().name().length())
                .max()
                .orElse(1);
        for (Benchmarks.Reached line : lines) {
            Benchmark.Workload workload = line.workload();
            String text = String.format(
                    Locale.ROOT,
                    "  %-" + width + "s  %12s %s/s  ratio %6.2f  (%s .. %s)",
                    workload.name(),
                    amount(line.rate()),
                    workload.unit(),
                    line.ratio(),
                    amount(line.worst()),
                    amount(line.best()));
            String note = line.note().isEmpty() ? "" : "  " + line.note();
            console.out().println(text + note + goals(line, console));
            console.out().flush();
        }
    }

    private static String goals(Benchmarks.Reached line, Console console) {
        Benchmark.Workload workload = line.workload();
        var goals = new StringBuilder();
        if (workload.goal() > 0) {
            goals.append(" at least ").append(amount(workload.goal()));
        }
        if (workload.ratioGoal() > 0) {
            goals.append(goals.isEmpty() ? " at least ratio " : " and ratio ").append(workload.ratioGoal());
        }
        if (goals.isEmpty()) {
            return "";
        }
        return "  goal:" + goals + (line.missed() ? console.red(" MISSED") : console.green(" reached"));
    }

    private static String amount(double rate) {
        if (rate >= 1e6) {
            return String.format(Locale.ROOT, "%.1f M", rate / 1e6);
        }
        return rate >= 1e3
                ? String.format(Locale.ROOT, "%.1f k", rate / 1e3)
                : String.format(Locale.ROOT, "%.1f", rate);
    }
}
