package kvasir.grammar;

/** A piece of the syntax tree. Nodes are immutable records and never null. */
public interface Node {
    /** Where it was read from. */
    Span span();
}
