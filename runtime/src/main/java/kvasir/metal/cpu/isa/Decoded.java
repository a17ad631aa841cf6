package kvasir.metal.cpu.isa;

/** What bytes decode to. */
public sealed interface Decoded permits Instruction, Decoded.Undefined, Decoded.TooLong, Decoded.Incomplete {
    /** No instruction: #UD. */
    record Undefined() implements Decoded {}

    /** More than 15 bytes: #GP. */
    record TooLong() implements Decoded {}

    /** The given bytes end before the instruction does. */
    record Incomplete() implements Decoded {}
}
