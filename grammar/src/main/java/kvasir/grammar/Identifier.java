package kvasir.grammar;

/**
 * A name that is declared, or that follows a dot.
 *
 * @param text the name as written; it may be a reserved word when it follows a dot
 */
public record Identifier(Span span, String text) implements Node {}
