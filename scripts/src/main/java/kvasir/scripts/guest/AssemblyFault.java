package kvasir.scripts.guest;

import kvasir.grammar.Span;

/**
 * What is wrong with an item of a guest program.
 *
 * @param message one sentence
 * @param help what would be right; empty if nothing can be said
 */
public record AssemblyFault(Span span, String message, String help) {}
