package kvasir.scripts;

import java.nio.file.Path;
import java.util.List;
import kvasir.grammar.Diagnostic;

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

    /**
     * What {@code diagnostic} says, as a failure.
     *
     * @param notes further lines of the message, each {@code label: text}; text may have several lines
     */
    public static Failure of(Kind kind, Diagnostic diagnostic, List<String> notes) {
        var span = diagnostic.span();
        return new Failure(
                kind,
                diagnostic.message(),
                Path.of(span.source().name()),
                span.line(),
                span.column(),
                FailureText.of(diagnostic, notes));
    }

    /** A failure that is about a file as a whole. */
    public static Failure ofFile(Kind kind, Path file, String message) {
        return new Failure(kind, message, file, 0, 0, "error: " + message);
    }

    /** The syntax or static error that {@code diagnostic} is: the parser's codes come before {@code E0300}. */
    public static Failure of(Diagnostic diagnostic) {
        return of(diagnostic.code().compareTo("E03") < 0 ? Kind.SYNTAX : Kind.STATIC, diagnostic, List.of());
    }
}
