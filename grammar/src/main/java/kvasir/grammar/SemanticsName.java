package kvasir.grammar;

/**
 * The name of a behaviour of the kernel: {@code sean}, {@code v6.16}, {@code rfc-v2}.
 *
 * @param text without spaces
 */
public record SemanticsName(Span span, String text) implements Node {}
