package kvasir.scripts;

import java.nio.file.Path;

/**
 * Why something did not go through.
 *
 * @param title the first line without its severity: {@code assertion failed}
 * @param line from 1; 0 if it is about no line
 * @param column from 1; 0 if it is about no line
 * @param text the complete message, lines without a last newline, no colours
 */
public record Failure(Kind kind, String title, Path file, int line, int column, String text) {
    /** What kind of thing went wrong, in rising order of the exit code. */
    public enum Kind {
        /** A file that is missing or cannot be read, an unknown option value. */
        USAGE(1),
        /** The text is no script. */
        SYNTAX(2),
        /** The script names or does something that cannot be right in any run. */
        STATIC(2),
        /** The script did something that this run refuses: a wrong kind of value, an index out of bounds. */
        SCRIPT(3),
        /** The machine cannot: not modelled, out of budget. */
        MACHINE(3),
        /** A Java exception of ours. */
        BUG(3),
        /** An assertion, or an operation that failed unasserted. */
        ASSERTION(4),
        /** Stopped by the user. */
        INTERRUPTED(130);

        private final int exitCode;

        Kind(int exitCode) {
            this.exitCode = exitCode;
        }

        /** Exit code of a process that ends because of it. */
        public int exitCode() {
            return exitCode;
        }
    }
}
