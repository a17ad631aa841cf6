package kvasir.repl;

import java.io.PrintStream;
import java.nio.file.Path;
import kvasir.scripts.CaseResult;
import kvasir.scripts.Failure;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunSummary;

/** Test Anything Protocol, version 14: a point for each case and for each file that is no runnable script. */
final class TapReport implements RunListener {
    private final PrintStream out;
    private int points;

    TapReport(PrintStream out) {
        this.out = out;
        out.println("TAP version 14");
    }

    @Override
    public void rejected(Path file, Failure failure) {
        point(false, file.toString(), "");
        diagnostics(failure);
    }

    @Override
    public void finished(CaseResult result) {
        boolean ok = result.failure().isEmpty();
        String name = result.file() + ": " + result.test() + " (" + result.semantics() + ")";
        String directive = result.verdict() == CaseResult.Verdict.SKIPPED ? " # SKIP " + result.skipReason() : "";
        point(ok, name, directive);
        result.failure().ifPresent(this::diagnostics);
    }

    private void point(boolean ok, String name, String directive) {
        points++;
        String escaped = name.replace("\\", "\\\\").replace("#", "\\#");
        out.println((ok ? "ok " : "not ok ") + points + " - " + escaped + directive);
        out.flush();
    }

    private void diagnostics(Failure failure) {
        out.println("  ---");
        out.println("  message: |");
        failure.text().lines().forEach(line -> out.println("    " + line));
        out.println("  ...");
    }

    @Override
    public void ended(RunSummary summary) {
        out.println("1.." + points);
        out.flush();
    }
}
