package kvasir.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** The lines that {@link Formatter} has written: what stands in common columns is known when all are there. */
final class LaidOut {
    private final List<Line> lines = new ArrayList<>();

    /**
     * @param cells what follows the text, from left to right
     * @param comment what stands behind all, or nothing
     * @param begin where the comment stood in the text, characters from its line's start
     */
    private record Line(String text, List<Cell> cells, String comment, int begin) {
        Line(String text, List<Cell> cells) {
            this(text, cells, "", 0);
        }

        int indent() {
            return text.length() - text.stripLeading().length();
        }

        Optional<Cell> cell(int column) {
            return cells.stream().filter(each -> each.column() == column).findFirst();
        }

        /** Whether the cells of both may stand in common columns. */
        boolean besides(Line other) {
            return !cells.isEmpty() && !other.cells.isEmpty() && indent() == other.indent();
        }
    }

    /**
     * A part of a line that may stand in one column with those of its neighbours.
     *
     * @param column place among the columns, from the left: an argument's index, or {@link #ARROW}
     * @param apart whether the text had more than one blank before it
     * @param stood where on its line it stood in the text
     */
    record Cell(int column, boolean apart, int stood, String text) {}

    /** Lines whose cells would begin further apart than this have no column in common unless they had in the text. */
    private static final int NEAR = 6;

    /** A block on one line. */
    static final int BLOCK = -3;

    /** What a name is bound to. */
    static final int VALUE = -2;

    /** What an assertion says of its subject. */
    static final int CLAIM = -1;

    /** An outcome, behind all arguments. */
    static final int ARROW = Integer.MAX_VALUE;

    void write(String text) {
        text.lines().forEach(line -> lines.add(new Line(line, List.of())));
        if (text.isEmpty()) {
            lines.add(new Line("", List.of()));
        }
    }

    /** A line with its cells; as plain lines if one of them has several lines. */
    void write(String text, List<Cell> cells) {
        if (cells.stream().noneMatch(each -> each.text().contains("\n"))) {
            lines.add(new Line(text, cells));
        } else {
            write(text + cells.stream().map(each -> " " + each.text()).collect(Collectors.joining()));
        }
    }

    /** Puts a comment that stood at {@code begin} behind the last line; false if there is none. */
    boolean comment(String comment, int begin) {
        if (lines.isEmpty()) {
            return false;
        }
        Line last = lines.removeLast();
        lines.add(new Line(last.text(), last.cells(), comment, begin));
        return true;
    }

    int size() {
        return lines.size();
    }

    /** Takes back all lines from {@code from} on; their text if it was one. */
    Optional<String> take(int from) {
        List<Line> taken = lines.subList(from, lines.size());
        Optional<String> only = taken.size() == 1 ? Optional.of(columns(taken).getFirst()) : Optional.empty();
        taken.clear();
        return only;
    }

    /** All lines, their cells in columns, comments behind adjacent lines in one column, not before where they stood. */
    String text() {
        List<String> written = new ArrayList<>(lines.size());
        for (int from = 0; from < lines.size(); from = written.size()) {
            int to = from + 1;
            while (to < lines.size() && lines.get(to - 1).besides(lines.get(to))) {
                to++;
            }
            written.addAll(columns(lines.subList(from, to)));
        }
        StringBuilder text = new StringBuilder();
        int from = 0;
        while (from < lines.size()) {
            int to = from;
            int width = 0;
            while (to < lines.size() && !lines.get(to).comment().isEmpty()) {
                width = Math.max(
                        width,
                        Math.max(written.get(to).length() + 2, lines.get(to).begin()));
                to++;
            }
            for (int i = from; i < to; i++) {
                text.append(padded(written.get(i), width))
                        .append(lines.get(i).comment())
                        .append('\n');
            }
            if (to < lines.size()) {
                text.append(written.get(to)).append('\n');
            }
            from = to + 1;
        }
        return text.toString();
    }

    /** Lines that stand below each other, each with its cells. */
    private static List<String> columns(List<Line> run) {
        List<String> written = new ArrayList<>(run.stream().map(Line::text).toList());
        int[] columns = run.stream()
                .flatMap(line -> line.cells().stream())
                .mapToInt(Cell::column)
                .sorted()
                .distinct()
                .toArray();
        for (int column : columns) {
            List<Integer> group = new ArrayList<>();
            for (int i = 0; i < run.size(); i++) {
                if (run.get(i).cell(column).isPresent()) {
                    if (!joins(i, group, column, run, written)) {
                        append(group, column, run, written);
                        group.clear();
                    }
                    group.add(i);
                }
            }
            append(group, column, run, written);
        }
        return written;
    }

    /** Whether line {@code i} shares {@code column} with {@code group}, the lines above it that do. */
    private static boolean joins(int i, List<Integer> group, int column, List<Line> run, List<String> written) {
        if (group.isEmpty()) {
            return true;
        }
        Optional<Integer> stood = run.get(group.getLast()).cell(column).map(Cell::stood);
        int length = written.get(i).length();
        return stood.equals(run.get(i).cell(column).map(Cell::stood))
                || group.stream().allMatch(each -> Math.abs(written.get(each).length() - length) <= NEAR);
    }

    /** Appends one column's cells to the lines of {@code group}. */
    private static void append(List<Integer> group, int column, List<Line> run, List<String> written) {
        boolean aligned = group.stream()
                .anyMatch(i -> run.get(i).cell(column).map(Cell::apart).orElse(false));
        int width = group.stream().mapToInt(i -> written.get(i).length()).max().orElse(0);
        for (int i : group) {
            int begin = aligned ? width : written.get(i).length();
            String cell = run.get(i).cell(column).map(Cell::text).orElse("");
            written.set(i, padded(written.get(i), begin + 1) + cell);
        }
    }

    private static String padded(String text, int width) {
        return text + " ".repeat(width - text.length());
    }
}
