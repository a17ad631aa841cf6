package kvasir.metal.cpu.isa;

/**
 * What is wrong with a statement.
 *
 * @param line of the statement
 * @param message one sentence
 * @param help what would be right; empty if nothing can be said
 */
public record AssemblyError(int line, String message, String help) {}
