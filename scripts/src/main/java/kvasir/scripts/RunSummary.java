package kvasir.scripts;

/**
 * The end of a run.
 *
 * @param rejected files that were no runnable scripts
 * @param exitCode 0 all passed, 1 usage, 2 syntax or static error, 3 the machine or engine failed, 4 an assertion
 *     failed, 130 interrupted; the first of 130, 1, 2, 3, 4 that applies
 */
public record RunSummary(int passed, int failed, int skipped, int rejected, int exitCode) {
    /** {@code 3 passed, 1 failed, 0 skipped}. */
    public String closingLine() {
        String line = passed + " passed, " + failed + " failed, " + skipped + " skipped";
        return rejected == 0 ? line : line + ", " + rejected + (rejected == 1 ? " file" : " files") + " not run";
    }

    /** This run and {@code other} as one. */
    public RunSummary plus(RunSummary other) {
        return new RunSummary(
                passed + other.passed,
                failed + other.failed,
                skipped + other.skipped,
                rejected + other.rejected,
                worse(exitCode, other.exitCode));
    }

    /** The exit code of a run in which both happened. */
    public static int worse(int exitCode, int other) {
        if (exitCode == 0 || other == 0 || exitCode == 130 || other == 130) {
            return Math.max(exitCode, other);
        }
        return Math.min(exitCode, other);
    }
}
