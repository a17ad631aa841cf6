package kvasir.repl;

import java.nio.file.Path;
import java.util.Optional;
import kvasir.event.Event;
import kvasir.scripts.CaseResult;
import kvasir.scripts.Failure;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunSummary;

/** How a run goes, for a person: a heading for each file, a line for each case, the whole text of each failure. */
final class ConsoleReport implements RunListener {
    private final Console console;
    private final boolean quiet;
    private Optional<Path> heading = Optional.empty();

    /** @param quiet failures and the closing line only */
    ConsoleReport(Console console, boolean quiet) {
        this.console = console;
        this.quiet = quiet;
    }

    @Override
    public void rejected(Path file, Failure failure) {
        heading = Optional.empty();
        console.out().println(failure.text());
        console.out().println();
        console.out().flush();
    }

    @Override
    public void event(long sequence, Event event) {
        console.out().println(console.faint("%8d  %s".formatted(sequence, event.describe())));
    }

    @Override
    public void finished(CaseResult result) {
        if (quiet && result.failure().isEmpty()) {
            return;
        }
        if (!heading.equals(Optional.of(result.file()))) {
            heading = Optional.of(result.file());
            console.out().println(result.file());
        }
        console.out().println("  " + verdict(result) + "  " + title(result));
        result.output()
                .forEach(text -> text.lines().forEach(line -> console.out().println("          " + line)));
        result.failure().ifPresent(failure -> {
            console.out().println();
            failure.text().lines().forEach(line -> console.out().println(line.isEmpty() ? line : "  " + line));
            console.out().println();
        });
        console.out().flush();
    }

    private String verdict(CaseResult result) {
        return switch (result.verdict()) {
            case PASSED -> console.green("passed ");
            case FAILED -> console.red("FAILED ");
            case SKIPPED -> console.faint("skipped");
        };
    }

    private static String title(CaseResult result) {
        String name = result.test() + " (" + result.semantics() + ")";
        return result.skipReason().isEmpty() ? name : name + ": " + result.skipReason();
    }

    @Override
    public void updated(Path file, int line) {
        console.out().println("updated picture at " + file + ":" + line);
    }

    @Override
    public void ended(RunSummary summary) {
        String line = summary.closingLine();
        console.out().println(summary.exitCode() == 0 ? console.green(line) : console.red(line));
        console.out().flush();
    }
}
