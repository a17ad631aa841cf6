package kvasir.grammar;

import java.util.List;

/**
 * Writes diagnostics for people: code, place, the line itself, a caret with the reason, the help.
 *
 * @param colour whether to use ANSI colours
 */
public record DiagnosticPrinter(boolean colour) {
    private static final int TAB = 4;

    /** Columns of a line that are shown; of a longer line, those around the fault. */
    private static final int WIDTH = 100;

    private static final String RED = "\u001b[1;31m";
    private static final String BLUE = "\u001b[1;34m";
    private static final String BOLD = "\u001b[1m";
    private static final String CYAN = "\u001b[1;36m";
    private static final String PLAIN = "\u001b[0m";

    /** All of {@code diagnostics}, an empty line between two, each line ended. */
    public String print(List<Diagnostic> diagnostics) {
        return String.join("\n", diagnostics.stream().map(this::print).toList());
    }

    /** One diagnostic, each line ended. */
    public String print(Diagnostic diagnostic) {
        Span span = diagnostic.span();
        int line = span.line();
        String number = Integer.toString(line);
        String margin = " ".repeat(number.length());
        String bar = paint(BLUE, "|");
        Excerpt excerpt = excerpt(span, line);
        StringBuilder text = new StringBuilder();
        text.append(paint(RED, "error[" + diagnostic.code() + "]"))
                .append(paint(BOLD, ": " + diagnostic.message()))
                .append('\n');
        text.append(margin).append(paint(BLUE, "--> ")).append(span).append('\n');
        text.append(margin).append(' ').append(bar).append('\n');
        text.append(paint(BLUE, number)).append(' ').append(bar);
        text.append(excerpt.text().isEmpty() ? "" : " " + excerpt.text()).append('\n');
        text.append(margin)
                .append(' ')
                .append(bar)
                .append(" ".repeat(excerpt.caret() + 1))
                .append(paint(RED, "^".repeat(excerpt.length()) + " " + diagnostic.reason()))
                .append('\n');
        diagnostic
                .help()
                .ifPresent(help -> text.append(margin)
                        .append(paint(BLUE, " = "))
                        .append(paint(CYAN, "help: "))
                        .append(help)
                        .append('\n'));
        return text.toString();
    }

    private String paint(String with, String text) {
        return colour ? with + text + PLAIN : text;
    }

    /**
     * @param text the shown part of the line, tabs replaced
     * @param caret column of the first caret, from 0
     * @param length number of carets, at least 1
     */
    private record Excerpt(String text, int caret, int length) {}

    private static Excerpt excerpt(Span span, int line) {
        String raw = span.source().lineText(line);
        int lineStart = span.source().lineStart(line);
        int from = Math.min(span.start() - lineStart, raw.length());
        int to = Math.clamp(span.end() - lineStart, from, raw.length());
        int first = 0;
        int last = raw.length();
        if (raw.length() > WIDTH) {
            first = Math.max(0, Math.min(from - WIDTH / 3, raw.length() - WIDTH));
            last = Math.min(raw.length(), first + WIDTH);
            to = Math.min(to, last);
        }
        String before = expand((first > 0 ? "…" : "") + raw.substring(first, from));
        String marked = expand(raw.substring(from, to));
        String after = expand(raw.substring(to, last) + (last < raw.length() ? "…" : ""));
        int length = Math.max(1, marked.codePointCount(0, marked.length()));
        return new Excerpt(
                (before + marked + after).stripTrailing(), before.codePointCount(0, before.length()), length);
    }

    /** Tabs to blanks, and what a terminal would obey to a sign that it shows. */
    private static String expand(String text) {
        StringBuilder shown = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (c == '\t') {
                shown.append(" ".repeat(TAB));
            } else if (Character.isISOControl(c)) {
                shown.append('\ufffd');
            } else {
                shown.appendCodePoint(c);
            }
        });
        return shown.toString();
    }
}
