package kvasir.grammar;

import org.antlr.v4.runtime.CharStream;
import org.antlr.v4.runtime.IntStream;
import org.antlr.v4.runtime.misc.Interval;

/** A text whose symbols are UTF-16 units, so that the index of a token is an offset into the text. */
final class Utf16Stream implements CharStream {
    private final SourceFile source;
    private final String text;
    private int index;

    Utf16Stream(SourceFile source) {
        this.source = source;
        this.text = source.text();
    }

    @Override
    public void consume() {
        if (index >= text.length()) {
            throw new IllegalStateException("consumed the end of the text");
        }
        index++;
    }

    @Override
    public int LA(int distance) {
        int at = distance > 0 ? index + distance - 1 : index + distance;
        return at >= 0 && at < text.length() ? text.charAt(at) : IntStream.EOF;
    }

    @Override
    public int mark() {
        return -1;
    }

    @Override
    public void release(int marker) {
        // Nothing is buffered.
    }

    @Override
    public int index() {
        return index;
    }

    @Override
    public void seek(int index) {
        this.index = Math.min(index, text.length());
    }

    @Override
    public int size() {
        return text.length();
    }

    @Override
    public String getSourceName() {
        return source.name();
    }

    @Override
    public String getText(Interval interval) {
        return text.substring(Math.min(interval.a, text.length()), Math.min(interval.b + 1, text.length()));
    }
}
