package kvasir.scripts;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import kvasir.event.Event;
import kvasir.scripts.runner.ScriptFiles;

/** Questions against semantics: each answer comes from a run. */
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
     *     recorded; without any, the first outcome that the script states, as it was observed; without that,
     *     {@code passed}. {@code FAILED} if a case failed under it
     */
    public record Row(Path file, String question, Map<String, String> answers) {}

    /**
     * The whole table.
     *
     * @param semantics columns, oldest first, then those that scripts put together; only those that a row answers
     * @param summary of the run behind it
     */
    public record Table(List<String> semantics, List<Row> rows, RunSummary summary) {}

    /** Runs the scripts at {@code paths} under every semantics they name and collects their answers. */
    public Table run(List<Path> paths, RunOptions options, RunListener listener) {
        Map<Path, Map<String, Cell>> answers = new LinkedHashMap<>();
        RunSummary summary = new ScriptRunner(machines).run(paths, options, new Collector(answers, listener));
        Set<String> used = new LinkedHashSet<>();
        var rows = new ArrayList<Row>();
        answers.forEach((file, bySemantics) -> {
            used.addAll(bySemantics.keySet());
            Map<String, String> cells = new LinkedHashMap<>();
            bySemantics.forEach((semantics, cell) -> cells.put(semantics, cell.text()));
            rows.add(new Row(file, question(file), cells));
        });
        var columns = new ArrayList<>(machines.semantics());
        columns.retainAll(used);
        used.stream().filter(name -> !columns.contains(name)).forEach(columns::add);
        return new Table(columns, rows, summary);
    }

    private static String question(Path file) {
        if (ScriptFiles.read(file) instanceof ScriptFiles.Content.Text(var text)) {
            String first = text.lines().findFirst().orElse("");
            if (first.startsWith("//")) {
                return first.substring(2).strip();
            }
        }
        return file.toString();
    }

    /** The table as text: a line for each question, then a line for each different answer with the semantics giving it. */
    public static String text(Table table) {
        return table.rows().stream().map(Matrix::text).collect(Collectors.joining("\n"));
    }

    private static String text(Row row) {
        Map<String, List<String>> byAnswer = new LinkedHashMap<>();
        row.answers()
                .forEach((semantics, answer) ->
                        byAnswer.computeIfAbsent(answer, a -> new ArrayList<>()).add(semantics));
        var lines = new ArrayList<String>();
        lines.add(row.question());
        int width = byAnswer.values().stream()
                .mapToInt(names -> String.join(", ", names).length())
                .max()
                .orElse(0);
        byAnswer.forEach((answer, names) -> {
            String by = String.join(", ", names);
            lines.add("    " + by + " ".repeat(width - by.length()) + "  " + answer);
        });
        return String.join("\n", lines);
    }

    /** What the cases of one script said under one semantics. */
    private static final class Cell {
        private final Set<String> said = new LinkedHashSet<>();
        private String observed = "";
        private boolean failed;

        void add(CaseResult result) {
            said.addAll(result.answers());
            observed = observed.isEmpty() ? result.observed() : observed;
            failed |= result.verdict() == CaseResult.Verdict.FAILED;
        }

        String text() {
            if (failed) {
                return "FAILED";
            }
            if (!said.isEmpty()) {
                return String.join("; ", said);
            }
            return observed.isEmpty() ? "passed" : observed;
        }
    }

    /** Keeps the answers and lets the other listener hear everything. */
    private record Collector(Map<Path, Map<String, Cell>> answers, RunListener inner) implements RunListener {
        @Override
        public void planned(int cases) {
            inner.planned(cases);
        }

        @Override
        public void rejected(Path file, Failure failure) {
            inner.rejected(file, failure);
        }

        @Override
        public void started(Path file, String test, String semantics) {
            inner.started(file, test, semantics);
        }

        @Override
        public void event(long sequence, Event event) {
            inner.event(sequence, event);
        }

        @Override
        public void finished(CaseResult result) {
            if (result.verdict() != CaseResult.Verdict.SKIPPED) {
                answers.computeIfAbsent(result.file(), file -> new LinkedHashMap<>())
                        .computeIfAbsent(result.semantics(), semantics -> new Cell())
                        .add(result);
            }
            inner.finished(result);
        }

        @Override
        public void updated(Path file, int line) {
            inner.updated(file, line);
        }

        @Override
        public void ended(RunSummary summary) {
            inner.ended(summary);
        }
    }
}
