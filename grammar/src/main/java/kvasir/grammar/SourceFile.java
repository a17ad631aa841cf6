package kvasir.grammar;

import java.util.Arrays;

/**
 * A text with the name under which people know it. Offsets are in UTF-16 units from 0, lines and columns count from 1.
 */
public final class SourceFile {
    private final String name;
    private final String text;
    private final int[] lineStarts;

    /**
     * @param name what diagnostics call it, a path as the person wrote it
     * @param text the whole content
     */
    public SourceFile(String name, String text) {
        this.name = name;
        this.text = text;
        this.lineStarts = lineStarts(text);
    }

    private static int[] lineStarts(String text) {
        int[] starts = new int[16];
        int count = 1;
        for (int at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
            if (count == starts.length) {
                starts = Arrays.copyOf(starts, 2 * count);
            }
            starts[count++] = at + 1;
        }
        return Arrays.copyOf(starts, count);
    }

    /** What diagnostics call it. */
    public String name() {
        return name;
    }

    /** The whole content. */
    public String text() {
        return text;
    }

    /** Number of lines; an empty text has one. */
    public int lines() {
        return lineStarts.length;
    }

    /** The line, from 1, that holds {@code offset}. */
    public int line(int offset) {
        int found = Arrays.binarySearch(lineStarts, offset);
        return found >= 0 ? found + 1 : -found - 1;
    }

    /** The column of {@code offset} in its line, from 1, in code points. */
    public int column(int offset) {
        int start = lineStarts[line(offset) - 1];
        return text.codePointCount(start, Math.min(offset, text.length())) + 1;
    }

    /** Offset at which {@code line}, from 1, starts. */
    public int lineStart(int line) {
        return lineStarts[line - 1];
    }

    /** The text of {@code line}, from 1, without its line end. */
    public String lineText(int line) {
        int start = lineStarts[line - 1];
        int end = line < lineStarts.length ? lineStarts[line] - 1 : text.length();
        if (end > start && text.charAt(end - 1) == '\r') {
            end--;
        }
        return text.substring(start, end);
    }

    /** The span from offset {@code start} to {@code end}, exclusive. */
    public Span span(int start, int end) {
        return new Span(this, start, end);
    }

    @Override
    public String toString() {
        return name;
    }
}
