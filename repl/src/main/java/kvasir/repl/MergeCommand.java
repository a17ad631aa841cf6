package kvasir.repl;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import kvasir.scripts.RaceReport;
import kvasir.scripts.explore.LockOrder;

/** {@code kvs merge}: the reports of all shards of a search as one. */
final class MergeCommand {
    private MergeCommand() {}

    /** @param nth how many of the same name the file has before it */
    private record Key(String file, String race, String semantics, int nth) {}

    static int run(CommandLine line, Console console) {
        Map<Key, List<RaceReport>> parts = new LinkedHashMap<>();
        for (String operand : line.operands()) {
            try {
                Map<Key, Integer> named = new HashMap<>();
                for (RaceJson.Race race : RaceJson.read(Files.readString(Path.of(operand)))) {
                    var name = new Key(race.file(), race.report().race(), race.semantics(), 0);
                    int nth = named.merge(name, 1, Integer::sum) - 1;
                    var key = new Key(name.file, name.race, name.semantics, nth);
                    parts.computeIfAbsent(key, missing -> new ArrayList<>()).add(race.report());
                }
            } catch (IOException e) {
                console.err().println("kvs: cannot read the report " + operand + ": " + e.getMessage());
                return 1;
            }
        }
        var merged = new ArrayList<RaceJson.Race>();
        boolean wrong = false;
        for (Map.Entry<Key, List<RaceReport>> each : parts.entrySet()) {
            Optional<String> missing = missing(each.getValue());
            Key key = each.getKey();
            if (missing.isPresent()) {
                console.err()
                        .println("kvs: %s: %s (%s): %s"
                                .formatted(key.file(), key.race(), key.semantics(), missing.get()));
                return 1;
            }
            RaceReport whole = merge(each.getValue());
            merged.add(new RaceJson.Race(key.file(), key.semantics(), whole));
            console.out().println("%s (%s)".formatted(key.file(), key.semantics()));
            whole.text().lines().forEach(text -> console.out().println("  " + text));
            for (int i = 0; i < whole.clauses().size(); i++) {
                RaceReport.Clause clause = whole.clauses().get(i);
                boolean inversion = clause.text().strip().equals("lock order inversion");
                boolean holds = inversion
                        ? clause.frequency().equals("never")
                                == whole.lockInversion().isEmpty()
                        : clause.holds(i, whole.endings());
                if (!holds) {
                    wrong = true;
                    console.out()
                            .println(
                                    console.red("  does not hold: %s %s".formatted(clause.frequency(), clause.text())));
                }
            }
        }
        Optional<String> json = line.value("--json");
        if (json.isPresent()) {
            try {
                Files.writeString(Path.of(json.get()), RaceJson.write(merged));
            } catch (IOException e) {
                console.err().println("kvs: cannot write the report " + json.get() + ": " + e.getMessage());
                return 1;
            }
        }
        return wrong ? 4 : 0;
    }

    /** What is not there of a search, or there twice. */
    private static Optional<String> missing(List<RaceReport> parts) {
        String first = parts.getFirst().shard();
        int count = Integer.parseInt(first.substring(first.indexOf('/') + 1));
        for (int i = 1; i <= count; i++) {
            String shard = i + "/" + count;
            long there =
                    parts.stream().filter(part -> part.shard().equals(shard)).count();
            if (there != 1) {
                return Optional.of("shard " + shard + (there == 0 ? " is missing" : " is there twice"));
            }
        }
        return parts.size() == count ? Optional.empty() : Optional.of("there are shards of another split");
    }

    private static RaceReport merge(List<RaceReport> shards) {
        List<RaceReport> parts = shards.stream()
                .filter(Predicate.not(RaceReport::elsewhereSearched))
                .toList();
        RaceReport first = parts.getFirst();
        Map<List<Object>, RaceReport.Ending> endings = new LinkedHashMap<>();
        for (RaceReport part : parts) {
            for (RaceReport.Ending each : part.endings()) {
                endings.merge(List.of(each.kind(), each.text(), each.conditions()), each, MergeCommand::both);
            }
        }
        boolean states = first.method().equals("states");
        // each shard follows all states; of schedules and walks each has its own
        long size = states
                ? parts.stream().mapToLong(RaceReport::size).max().orElse(0)
                : parts.stream().mapToLong(RaceReport::size).sum();
        long steps = states
                ? parts.stream().mapToLong(RaceReport::steps).max().orElse(0)
                : parts.stream().mapToLong(RaceReport::steps).sum();
        return new RaceReport(
                first.race(),
                first.tasks(),
                first.method(),
                completeness(parts, size),
                size,
                steps,
                parts.stream().mapToInt(RaceReport::runs).sum(),
                "1/1",
                first.clauses(),
                List.copyOf(endings.values()),
                LockOrder.of(parts.stream()
                                .flatMap(part -> part.lockOrder().stream())
                                .toList())
                        .all(),
                parts.stream()
                        .flatMap(part -> part.elsewhere().stream())
                        .distinct()
                        .toList(),
                parts.stream().map(RaceReport::note).distinct().collect(Collectors.joining("; ")),
                parts.stream()
                        .flatMap(part -> part.reductions().stream())
                        .distinct()
                        .toList());
    }

    /** As the whole search would say it: all that each shard says but how much it went through is the same for all. */
    private static String completeness(List<RaceReport> parts, long size) {
        RaceReport first = parts.getFirst();
        if (first.method().equals("walks")) {
            return "bounded (%,d walks at random)".formatted(size);
        }
        Optional<String> bounded = parts.stream()
                .map(RaceReport::completeness)
                .filter(text -> text.startsWith("bounded"))
                .findFirst();
        return bounded.map(text -> text + " in one shard or more")
                .orElseGet(() -> "%s (%,d %s)"
                        .formatted(
                                first.completeness()
                                        .substring(0, first.completeness().indexOf(" (")),
                                size,
                                first.method()));
    }

    private static RaceReport.Ending both(RaceReport.Ending one, RaceReport.Ending two) {
        RaceReport.Ending witness = RaceReport.Ending.ORDER.compare(two, one) < 0 ? two : one;
        return new RaceReport.Ending(
                one.kind(),
                one.text(),
                one.conditions(),
                sum(one.count(), two.count()),
                witness.token(),
                witness.preemptions(),
                witness.steps());
    }

    private static String sum(String one, String two) {
        return kvasir.scripts.explore.Exploration.counted(
                Double.parseDouble(one.replace(",", "")) + Double.parseDouble(two.replace(",", "")));
    }
}
