package kvasir.repl;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kvasir.scripts.CaseResult;
import kvasir.scripts.ExploreOptions;
import kvasir.scripts.Failure;
import kvasir.scripts.RaceReport;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunOptions;
import kvasir.scripts.RunSummary;
import kvasir.scripts.explore.Bounds;
import kvasir.scripts.explore.Schedule;
import kvasir.scripts.explore.Shard;

/** {@code kvs explore}: every interleaving of the races in scripts. */
final class ExploreCommand {
    private static final Pattern SHARD = Pattern.compile("([1-9][0-9]{0,3})/([1-9][0-9]{0,3})");

    private ExploreCommand() {}

    /** Explores what the words after {@code kvs explore} say; the exit code. */
    static int run(CommandLine line, Console console) {
        Optional<String> wrong = Options.wrong(line).or(() -> wrong(line));
        if (wrong.isPresent()) {
            console.err().println("kvs: " + wrong.get());
            return 1;
        }
        RunOptions options = Options.read(line).withExplore(explore(line));
        var found = new Found(new ConsoleReport(console, line.has("--quiet")), line.has("--replay"));
        RunSummary summary = RunCommand.scripts(line, options, found);
        found.next.ended(summary);
        try {
            if (line.value("--json").isPresent()) {
                Files.writeString(Path.of(line.options().get("--json")), RaceJson.write(found.races));
            }
            if (line.value("--svg").isPresent()) {
                draw(Path.of(line.options().get("--svg")), found.races);
            }
        } catch (IOException e) {
            console.err().println("kvs: cannot write: " + e.getMessage());
            return summary.exitCode() == 0 ? 1 : summary.exitCode();
        }
        return summary.exitCode();
    }

    private static Optional<String> wrong(CommandLine line) {
        for (String name : List.of("--preemptions", "--states")) {
            Optional<String> value = line.value(name);
            if (value.isPresent() && !value.get().matches("[0-9]{1,8}")) {
                return Optional.of("option `" + name + "` needs a number, not `" + value.get() + "`");
            }
        }
        Optional<String> shard = line.value("--shard");
        if (shard.isPresent() && shard(shard.get()).isEmpty()) {
            return Optional.of("option `--shard` needs a part as 2/8, not `" + shard.get() + "`");
        }
        Optional<String> token = line.value("--replay");
        if (token.isPresent() && Schedule.parse(token.get()).isEmpty()) {
            return Optional.of(
                    "option `--replay` needs a schedule that a search printed, as k1:12B, not `" + token.get() + "`");
        }
        return Optional.empty();
    }

    private static Optional<Shard> shard(String text) {
        Matcher parts = SHARD.matcher(text);
        if (!parts.matches()) {
            return Optional.empty();
        }
        int index = Integer.parseInt(parts.group(1));
        int count = Integer.parseInt(parts.group(2));
        return index > count ? Optional.empty() : Optional.of(new Shard(index - 1, count));
    }

    private static ExploreOptions explore(CommandLine line) {
        return new ExploreOptions(
                number(line, "--preemptions"),
                number(line, "--states"),
                line.value("--shard").flatMap(ExploreCommand::shard).orElse(Shard.ALL),
                line.value("--replay").flatMap(Schedule::parse),
                true,
                Bounds.SWITCHES.stream()
                        .filter(name -> line.has("--no-" + name))
                        .toList());
    }

    private static OptionalInt number(CommandLine line, String name) {
        return line.value(name).map(Integer::parseInt).map(OptionalInt::of).orElse(OptionalInt.empty());
    }

    /** A picture of the first schedule of each end that {@link RaceReport#shown} names. */
    private static void draw(Path folder, List<RaceJson.Race> races) throws IOException {
        Files.createDirectories(folder);
        for (int i = 0; i < races.size(); i++) {
            RaceReport report = races.get(i).report();
            for (RaceReport.Ending ending : report.shown()) {
                String name = "%02d-%s-%s-%02d.svg"
                        .formatted(
                                i + 1,
                                report.race().replaceAll("[^A-Za-z0-9]+", "_"),
                                races.get(i).semantics(),
                                report.endings().indexOf(ending) + 1);
                Files.writeString(folder.resolve(name), report.svg(ending));
            }
        }
    }

    /** Passes everything on, but for the end, which is when all engines are done; keeps the races. */
    private static final class Found implements RunListener {
        final List<RaceJson.Race> races = new ArrayList<>();
        private final RunListener next;
        private final boolean replays;

        Found(RunListener next, boolean replays) {
            this.next = next;
            this.replays = replays;
        }

        @Override
        public void planned(int cases) {
            next.planned(cases);
        }

        @Override
        public void rejected(Path file, Failure failure) {
            next.rejected(file, failure);
        }

        @Override
        public void started(Path file, String test, String semantics) {
            next.started(file, test, semantics);
        }

        @Override
        public void progress(String how) {
            next.progress(how);
        }

        @Override
        public void event(long sequence, kvasir.event.Event event) {
            next.event(sequence, event);
        }

        @Override
        public void raceEvent(long sequence, kvasir.event.Event event) {
            if (replays) {
                next.event(sequence, event);
            }
        }

        @Override
        public void finished(CaseResult result) {
            result.races()
                    .forEach(report ->
                            races.add(new RaceJson.Race(result.file().toString(), result.semantics(), report)));
            next.finished(result);
        }
    }
}
