package kvasir.repl;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import kvasir.event.Event;
import kvasir.scripts.CaseResult;
import kvasir.scripts.Failure;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunOptions;
import kvasir.scripts.RunSummary;
import kvasir.scripts.js.SuiteRunner;

/** {@code kvs run}. */
final class RunCommand {
    private RunCommand() {}

    /** Runs what the words after {@code kvs run} say; the exit code. */
    static int run(CommandLine line, Console console) {
        Optional<String> wrong = Options.wrong(line);
        if (wrong.isPresent()) {
            console.err().println("kvs: " + wrong.get());
            return 1;
        }
        RunListener lines =
                line.has("--tap") ? new TapReport(console.out()) : new ConsoleReport(console, line.has("--quiet"));
        var junit = new JUnitReport();
        var results = new Results();
        var listener = new Everyone(List.of(lines, junit, results));
        RunSummary summary = scripts(line, Options.read(line), listener);
        listener.end(summary);
        boolean junitWritten = written(line, "--junit", junit::xml, console);
        boolean jsonWritten = written(line, "--json", () -> JsonReport.of(results), console);
        boolean htmlWritten = written(line, "--html", () -> HtmlReport.of(results), console);
        boolean written = junitWritten && jsonWritten && htmlWritten;
        return written || summary.exitCode() != 0 ? summary.exitCode() : 1;
    }

    /** Writes a report into the file that {@code option} names, if it was given; whether all is well. */
    private static boolean written(CommandLine line, String option, Supplier<String> report, Console console) {
        Optional<Path> target = line.value(option).map(Path::of);
        if (target.isPresent()) {
            try {
                Files.writeString(target.get(), report.get());
            } catch (IOException e) {
                console.err().println("kvs: cannot write the report " + target.get() + ": " + e.getMessage());
                return false;
            }
        }
        return true;
    }

    /** Runs the scripts and modules that the words of the line name, until Ctrl-C. */
    static RunSummary scripts(CommandLine line, RunOptions options, RunListener listener) {
        var runner = new SuiteRunner(Engine.machines(line));
        List<Path> paths = line.operands().stream().map(Path::of).toList();
        return Interrupts.during(runner::interrupt, () -> runner.run(paths, options, listener));
    }

    /** Tells several listeners. The end is told by the command itself, when all engines are done. */
    private record Everyone(List<RunListener> all) implements RunListener {
        @Override
        public void planned(int cases) {
            all.forEach(each -> each.planned(cases));
        }

        @Override
        public void rejected(Path file, Failure failure) {
            all.forEach(each -> each.rejected(file, failure));
        }

        @Override
        public void started(Path file, String test, String semantics) {
            all.forEach(each -> each.started(file, test, semantics));
        }

        @Override
        public void progress(String how) {
            all.forEach(each -> each.progress(how));
        }

        @Override
        public void event(long sequence, Event event) {
            all.forEach(each -> each.event(sequence, event));
        }

        @Override
        public void finished(CaseResult result) {
            all.forEach(each -> each.finished(result));
        }

        @Override
        public void updated(Path file, int line) {
            all.forEach(each -> each.updated(file, line));
        }

        void end(RunSummary summary) {
            all.forEach(each -> each.ended(summary));
        }
    }
}
