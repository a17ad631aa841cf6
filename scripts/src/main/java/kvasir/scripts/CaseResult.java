package kvasir.scripts;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How one test went under one semantics.
 *
 * @param file as the user named it, or found below a folder the user named
 * @param test its name; the file's name for a script without tests
 * @param failure present if and only if the verdict is {@link Verdict#FAILED}
 * @param skipReason why it was skipped; empty unless the verdict is {@link Verdict#SKIPPED}
 * @param output what {@code show} printed, in order, without a last newline each
 * @param answers what {@code answer} recorded, in order
 * @param observed the outcome of the first operation in the test that the script states an outcome of; empty if none
 * @param races what was found, for each race that was explored, in order
 */
public record CaseResult(
        Path file,
        String test,
        String semantics,
        Verdict verdict,
        Optional<Failure> failure,
        String skipReason,
        List<String> output,
        List<String> answers,
        String observed,
        List<RaceReport> races) {
    public CaseResult {
        races = List.copyOf(races);
    }

    /** A result of a case in which no outcome was stated. */
    public CaseResult(
            Path file,
            String test,
            String semantics,
            Verdict verdict,
            Optional<Failure> failure,
            String skipReason,
            List<String> output,
            List<String> answers) {
        this(file, test, semantics, verdict, failure, skipReason, output, answers, "", List.of());
    }

    /** The three ways a case can end. */
    public enum Verdict {
        /** It did. */
        PASSED,
        /** It did not. */
        FAILED,
        /** It was not run. */
        SKIPPED
    }
}
