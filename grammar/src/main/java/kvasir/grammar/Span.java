package kvasir.grammar;

/**
 * A piece of a source file.
 *
 * @param source the file
 * @param start offset of the first character
 * @param end offset behind the last character
 */
public record Span(SourceFile source, int start, int end) {
    /** Line of the first character, from 1. */
    public int line() {
        return source.line(start);
    }

    /** Column of the first character, from 1. */
    public int column() {
        return source.column(start);
    }

    /** Line of the last character, from 1. */
    public int endLine() {
        return source.line(Math.max(start, end - 1));
    }

    /** The characters themselves. */
    public String text() {
        return source.text().substring(start, end);
    }

    /** The smallest span that holds this one and {@code other}. */
    public Span to(Span other) {
        return new Span(source, Math.min(start, other.start), Math.max(end, other.end));
    }

    /** {@code file:line:column}, as terminals and editors understand it. */
    @Override
    public String toString() {
        return source.name() + ":" + line() + ":" + column();
    }
}
