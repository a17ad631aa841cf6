package kvasir.metal.cpu.isa;

import java.util.Optional;

/** An operand of a decoded instruction. */
public sealed interface Operand {
    /** A register. */
    record Reg(Register register) implements Operand {}

    /**
     * Memory.
     *
     * @param bytes size of the access; 0 if the instruction only names an address
     * @param addressBytes address size, 2, 4 or 8
     * @param segment number of the segment register in force
     * @param base base register number
     * @param index index register number
     * @param scale 1, 2, 4 or 8
     * @param displacement sign extended
     * @param relative the displacement counts from the end of the instruction (RIP-relative)
     */
    record Mem(
            int bytes,
            int addressBytes,
            int segment,
            Optional<Integer> base,
            Optional<Integer> index,
            int scale,
            long displacement,
            boolean relative)
            implements Operand {}

    /**
     * Elements of memory that a vector of indices names (VSIB).
     *
     * @param memory where index 0 would be; without index register, its {@code scale} is that of the indices and its
     *     {@code bytes} those of an element
     * @param index the vector register
     */
    record Vsib(Mem memory, Register index) implements Operand {}

    /**
     * An immediate.
     *
     * @param value sign extended from its encoded size
     * @param bytes operand size it stands for
     */
    record Imm(long value, int bytes) implements Operand {}

    /**
     * A branch target.
     *
     * @param displacement from the end of the instruction
     */
    record Rel(long displacement) implements Operand {}

    /** A far pointer. */
    record Far(int selector, long offset) implements Operand {}
}
