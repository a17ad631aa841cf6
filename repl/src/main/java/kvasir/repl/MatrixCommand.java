package kvasir.repl;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.scripts.Failure;
import kvasir.scripts.Matrix;
import kvasir.scripts.RunListener;

/** {@code kvs matrix}: a row for each question, a column for each semantics. */
final class MatrixCommand {
    private static final int WIDEST_ANSWER = 28;

    private MatrixCommand() {}

    static int run(CommandLine line, Console console) {
        Optional<String> wrong = Options.wrong(line);
        if (wrong.isPresent()) {
            console.err().println("kvs: " + wrong.get());
            return 1;
        }
        var troubles = new Troubles();
        List<Path> paths = line.operands().stream().map(Path::of).toList();
        Matrix.Table table = new Matrix(Engine.machines()).run(paths, Options.read(line), troubles);
        List<List<String>> rows = cells(table);
        if (rows.size() > 1) {
            console.out().println(line.has("--markdown") ? markdown(rows) : text(rows));
        }
        troubles.texts.forEach(text -> console.err().println("\n" + text));
        return table.summary().exitCode();
    }

    private static final class Troubles implements RunListener {
        final List<String> texts = new ArrayList<>();

        @Override
        public void rejected(Path file, Failure failure) {
            texts.add(failure.text());
        }

        @Override
        public void finished(kvasir.scripts.CaseResult result) {
            result.failure()
                    .ifPresent(failure -> texts.add(
                            result.file() + ": " + result.test() + " (" + result.semantics() + ")\n" + failure.text()));
        }
    }

    private static List<List<String>> cells(Matrix.Table table) {
        var rows = new ArrayList<List<String>>();
        var head = new ArrayList<>(List.of("script", "question"));
        head.addAll(table.semantics());
        rows.add(head);
        for (Matrix.Row row : table.rows()) {
            Path name = row.file().getFileName();
            var cells = new ArrayList<>(List.of(name == null ? "" : name.toString(), row.question()));
            table.semantics().forEach(semantics -> cells.add(row.answers().getOrDefault(semantics, "-")));
            rows.add(cells);
        }
        return rows;
    }

    private static String markdown(List<List<String>> rows) {
        var lines = new ArrayList<String>();
        for (List<String> row : rows) {
            var cells = row.stream().map(cell -> cell.replace("|", "\\|").replace('\n', ' '));
            lines.add("| " + String.join(" | ", cells.toList()) + " |");
        }
        lines.add(1, "|" + "---|".repeat(rows.getFirst().size()));
        return String.join("\n", lines);
    }

    /** Columns as wide as their widest cell, answers wrapped. */
    private static String text(List<List<String>> rows) {
        int columns = rows.getFirst().size();
        var wrapped = new ArrayList<List<List<String>>>();
        int[] width = new int[columns];
        for (List<String> row : rows) {
            var cells = new ArrayList<List<String>>();
            for (int column = 0; column < columns; column++) {
                List<String> lines = wrap(row.get(column), column == 1 ? 2 * WIDEST_ANSWER : WIDEST_ANSWER);
                cells.add(lines);
                for (String cellLine : lines) {
                    width[column] = Math.max(width[column], cellLine.length());
                }
            }
            wrapped.add(cells);
        }
        var out = new StringBuilder();
        for (List<List<String>> cells : wrapped) {
            int height = cells.stream().mapToInt(List::size).max().orElse(1);
            for (int y = 0; y < height; y++) {
                var textLine = new StringBuilder();
                for (int column = 0; column < columns; column++) {
                    String cell =
                            y < cells.get(column).size() ? cells.get(column).get(y) : "";
                    textLine.append(cell).append(" ".repeat(width[column] - cell.length() + 2));
                }
                out.append(textLine.toString().stripTrailing()).append('\n');
            }
        }
        return out.toString().stripTrailing();
    }

    private static List<String> wrap(String text, int width) {
        var lines = new ArrayList<String>();
        for (String given : text.split("\n", -1)) {
            var line = new StringBuilder();
            for (String word : given.split(" ", -1)) {
                if (!line.isEmpty() && line.length() + 1 + word.length() > width) {
                    lines.add(line.toString());
                    line.setLength(0);
                }
                line.append(line.isEmpty() ? "" : " ").append(word);
            }
            lines.add(line.toString());
        }
        return lines;
    }
}
