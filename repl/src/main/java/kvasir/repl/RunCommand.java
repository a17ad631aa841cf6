package kvasir.repl;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.event.Event;
import kvasir.scripts.CaseResult;
import kvasir.scripts.Failure;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunOptions;
import kvasir.scripts.RunSummary;
import kvasir.scripts.ScriptRunner;
import kvasir.scripts.js.JavaScriptFunction;
import kvasir.scripts.js.JavaScriptRunner;
import kvasir.scripts.runner.ScriptFiles;

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
        RunListener first =
                line.has("--tap") ? new TapReport(console.out()) : new ConsoleReport(console, line.has("--quiet"));
        Optional<JUnitReport> junit = line.value("--junit").map(file -> new JUnitReport());
        var listener = new Both(first, junit.<RunListener>map(report -> report).orElse(RunListener.SILENT));
        RunSummary summary = scripts(line.operands(), Options.read(line), listener);
        listener.end(summary);
        if (junit.isPresent()) {
            Path target = Path.of(line.options().get("--junit"));
            try {
                Files.writeString(target, junit.get().xml());
            } catch (IOException e) {
                console.err().println("kvs: cannot write the report " + target + ": " + e.getMessage());
                return summary.exitCode() == 0 ? 1 : summary.exitCode();
            }
        }
        return summary.exitCode();
    }

    /** KVS scripts first, then JavaScript modules; each engine is started only if there is something for it. */
    private static RunSummary scripts(List<String> operands, RunOptions options, RunListener listener) {
        var scripts = new ArrayList<Path>();
        var modules = new ArrayList<Path>();
        for (String operand : operands) {
            Path path = Path.of(operand);
            List<Path> found = JavaScriptRunner.modules(path);
            modules.addAll(found);
            boolean onlyModules = !found.isEmpty()
                    && ScriptFiles.expand(List.of(path)).stream().allMatch(JavaScriptFunction::isModule);
            if (!onlyModules) {
                scripts.add(path);
            }
        }
        var summary = new RunSummary(0, 0, 0, 0, 0);
        if (!scripts.isEmpty()) {
            var runner = new ScriptRunner(Engine.machines());
            summary = Interrupts.during(runner::interrupt, () -> runner.run(scripts, options, listener));
        }
        if (!modules.isEmpty() && summary.exitCode() != 130) {
            var runner = new JavaScriptRunner(Engine.machines());
            RunSummary more = Interrupts.during(runner::interrupt, () -> runner.run(modules, options, listener));
            summary = summary.plus(more);
        }
        return summary;
    }

    /** Tells two listeners. The end is told by the command itself, when all engines are done. */
    private record Both(RunListener first, RunListener second) implements RunListener {
        @Override
        public void planned(int cases) {
            first.planned(cases);
            second.planned(cases);
        }

        @Override
        public void rejected(Path file, Failure failure) {
            first.rejected(file, failure);
            second.rejected(file, failure);
        }

        @Override
        public void started(Path file, String test, String semantics) {
            first.started(file, test, semantics);
            second.started(file, test, semantics);
        }

        @Override
        public void event(long sequence, Event event) {
            first.event(sequence, event);
            second.event(sequence, event);
        }

        @Override
        public void finished(CaseResult result) {
            first.finished(result);
            second.finished(result);
        }

        @Override
        public void updated(Path file, int line) {
            first.updated(file, line);
            second.updated(file, line);
        }

        void end(RunSummary summary) {
            first.ended(summary);
            second.ended(summary);
        }
    }
}
