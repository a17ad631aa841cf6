package kvasir.repl;

import java.nio.file.Path;
import java.util.Optional;
import kvasir.event.Event;
import kvasir.scripts.CaseResult;
import kvasir.scripts.Failure;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunSummary;

/**
 * How a run goes, for a person: a heading for each file, a line for each case, the whole text of each failure. On a
 * terminal the last line says what runs and how far it is; it is gone when there is something to say.
 */
final class ConsoleReport implements RunListener {
    /** Columns of the line that says what runs: a terminal has more. */
    private static final int STATUS = 78;

    private final Console console;
    private final boolean quiet;
    private Optional<Path> heading = Optional.empty();
    private String running = "";
    private boolean standing;
    private int planned;
    private int begun;

    /** @param quiet failures and the closing line only */
    ConsoleReport(Console console, boolean quiet) {
        this.console = console;
        this.quiet = quiet;
    }

    @Override
    public void planned(int cases) {
        planned = cases;
        begun = 0;
    }

    @Override
    public void started(Path file, String test, String semantics) {
        begun++;
        running = "%d of %d  %s: %s (%s)".formatted(begun, planned, file.getFileName(), test, semantics);
        stand(running);
    }

    @Override
    public void progress(String how) {
        String room = running.substring(0, Math.min(running.length(), Math.max(0, STATUS - how.length() - 2)));
        stand(room + "  " + how);
    }

    /** Puts a line where the cursor stays, for the next one to replace. */
    private void stand(String line) {
        if (console.colours()) {
            console.out().print("\r\u001b[K" + console.faint(line.substring(0, Math.min(line.length(), STATUS))));
            console.out().flush();
            standing = true;
        }
    }

    private void clear() {
        if (standing) {
            console.out().print("\r\u001b[K");
            standing = false;
        }
    }

    @Override
    public void rejected(Path file, Failure failure) {
        clear();
        heading = Optional.empty();
        console.out().println(failure.text());
        console.out().println();
        console.out().flush();
    }

    @Override
    public void event(long sequence, Event event) {
        clear();
        console.out().println(console.faint("%8d  %s".formatted(sequence, event.describe())));
    }

    @Override
    public void finished(CaseResult result) {
        clear();
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
        clear();
        console.out().println("updated picture at " + file + ":" + line);
    }

    @Override
    public void ended(RunSummary summary) {
        clear();
        String line = summary.closingLine();
        console.out().println(summary.exitCode() == 0 ? console.green(line) : console.red(line));
        console.out().flush();
    }
}
