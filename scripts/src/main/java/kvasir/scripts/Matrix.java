package kvasir.scripts;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Questions against semantics: each answer comes from a run. */
@SuppressWarnings("DoNotCallSuggester")
public final class Matrix {
    private final Machines machines;

    /** A matrix of what {@code machines} answer. */
    public Matrix(Machines machines) {
        this.machines = machines;
    }

    /**
     * One question.
     *
     * @param question the script's title, its first comment line: {@code q10: 2M-backed slot, 4K asked}
     * @param answers by semantics; one that the script does not name has no key. An answer is what {@code answer}
     *     recorded, or {@code FAILED} if a case failed under it
     */
    public record Row(Path file, String question, Map<String, String> answers) {}

    /**
     * The whole table.
     *
     * @param semantics columns, oldest first; only those that at least one row answers
     * @param summary of the run behind it
     */
    public record Table(List<String> semantics, List<Row> rows, RunSummary summary) {}

    /** Runs the scripts at {@code paths} under every semantics they name and collects their answers. */
    public Table run(List<Path> paths, RunOptions options, RunListener listener) {
        throw new UnsupportedOperationException("not delivered yet: " + machines);
    }
}
