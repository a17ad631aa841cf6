package kvasir.metal.cpu.isa;

import java.util.List;
import java.util.Optional;

/** One line for the assembler. {@code line} is what errors are reported with; its meaning is the caller's. */
public sealed interface Statement {
    int line();

    /** A label: the address of what follows. */
    record Label(int line, String name) implements Statement {}

    /**
     * An instruction.
     *
     * @param prefixes any of lock, rep, repe, repz, repne, repnz
     * @param mnemonic letter case does not matter
     * @param operands in Intel order, the destination first
     */
    record Code(int line, List<String> prefixes, String mnemonic, List<Argument> operands) implements Statement {}

    /**
     * {@code db}, {@code dw}, {@code dd}, {@code dq}.
     *
     * @param bytes size of each value: 1, 2, 4, 8
     */
    record Data(int line, int bytes, List<Value> values) implements Statement {}

    /** {@code align n}: zero bytes (in code, NOPs) up to a multiple of {@code boundary}, a power of two. */
    record Align(int line, int boundary) implements Statement {}

    /** {@code resb n}: {@code count} zero bytes. */
    record Reserve(int line, int count) implements Statement {}

    /**
     * A number, perhaps plus the address of a label.
     *
     * @param constant added to the label's address
     */
    record Value(long constant, Optional<String> label) {
        /** A plain number. */
        public static Value of(long constant) {
            return new Value(constant, Optional.empty());
        }
    }

    /** An operand as it was written. */
    sealed interface Argument {
        /** A register, in lower case. */
        record Reg(String name) implements Argument {}

        /** A number or a label: an immediate or a branch target. */
        record Constant(Value value) implements Argument {}

        /**
         * Memory.
         *
         * @param bytes size that was written ({@code byte} 1 ... {@code qword} 8), or 0
         * @param segment override, in lower case
         * @param base register, in lower case
         * @param index register, in lower case
         * @param scale 1, 2, 4 or 8
         */
        record Memory(
                int bytes,
                Optional<String> segment,
                Optional<String> base,
                Optional<String> index,
                int scale,
                Value displacement)
                implements Argument {}

        /** {@code selector:offset}. */
        record Far(Value selector, Value offset) implements Argument {}
    }
}
