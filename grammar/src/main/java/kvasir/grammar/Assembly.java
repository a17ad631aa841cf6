package kvasir.grammar;

import java.util.List;
import java.util.Optional;

/**
 * One item of a guest program, in Intel syntax. Registers and mnemonics are plain identifiers in any case of letters;
 * the assembler knows them.
 */
public sealed interface Assembly extends Node {

    /** {@code loop:}; what follows on the same line is the next item. */
    record Label(Span span, Identifier name) implements Assembly {}

    /**
     * {@code lock xadd [rdi], eax}.
     *
     * @param prefixes {@code lock}, {@code rep} and kin, in source order
     */
    record Instruction(Span span, List<Identifier> prefixes, Identifier mnemonic, List<Operand> operands)
            implements Assembly {
        public Instruction {
            prefixes = List.copyOf(prefixes);
            operands = List.copyOf(operands);
        }
    }

    /**
     * {@code db 1, "text", 0}.
     *
     * @param unit bytes a value takes: 1, 2, 4, 8; text takes one byte a character, padded to a whole unit
     */
    record Data(Span span, int unit, List<Value> values) implements Assembly {
        public Data {
            values = List.copyOf(values);
        }
    }

    /** {@code times count item}. */
    record Times(Span span, Value count, Assembly item) implements Assembly {}

    /** {@code name equ value}. */
    record Equ(Span span, Identifier name, Value value) implements Assembly {}

    /** {@code align n}: zero or more filling bytes up to a multiple of {@code n}. */
    record Align(Span span, Value boundary) implements Assembly {}

    /** {@code org address}: the address that the next byte will be at. */
    record Org(Span span, Value address) implements Assembly {}

    /** Operand sizes in bytes. */
    enum Size {
        BYTE(1),
        WORD(2),
        DWORD(4),
        FWORD(6),
        QWORD(8),
        TBYTE(10),
        XMMWORD(16),
        YMMWORD(32);

        private final int bytes;

        Size(int bytes) {
            this.bytes = bytes;
        }

        /** Width in bytes. */
        public int bytes() {
            return bytes;
        }
    }

    /** How far a branch goes. */
    enum Distance {
        SHORT,
        NEAR,
        FAR
    }

    /** An operand of an instruction. */
    sealed interface Operand extends Node {
        /** As written before it: {@code dword ptr}. */
        Optional<Size> size();

        /** As written before it: {@code far}. */
        Optional<Distance> distance();

        /** A register, a label or an immediate. */
        record Plain(Span span, Optional<Size> size, Optional<Distance> distance, Value value) implements Operand {}

        /**
         * {@code [es: base + index*scale + displacement]}, {@code es:[...]}, {@code [rel label]}.
         *
         * @param relative whether written with {@code rel}
         * @param address a sum that the assembler takes apart
         */
        record Memory(
                Span span,
                Optional<Size> size,
                Optional<Distance> distance,
                Optional<Identifier> segment,
                boolean relative,
                Value address)
                implements Operand {}

        /** {@code 0x08:entry}: a far pointer. */
        record FarPointer(Span span, Optional<Size> size, Optional<Distance> distance, Value selector, Value offset)
                implements Operand {}
    }

    /** Something the assembler computes. */
    sealed interface Value extends Node {
        /** An integer. */
        record Constant(Span span, long value, String text) implements Value {}

        /** {@code 'A'} (at most 8 characters, first in the lowest byte), or text of a data directive. */
        record Text(Span span, String value) implements Value {}

        /** A register, a label, an {@code equ}, or a {@code let} of the script. */
        record Symbol(Span span, String name) implements Value {}

        /** {@code $}: the address of this item. */
        record Here(Span span) implements Value {}

        /** {@code $$}: the address of the program's first byte. */
        record Start(Span span) implements Value {}

        /** {@code -x}, {@code ~x}; never {@code not}. */
        record Unary(Span span, UnaryOperator operator, Value operand) implements Value {}

        /** Arithmetic, bits and shifts. */
        record Binary(Span span, BinaryOperator operator, Value left, Value right) implements Value {}

        /** {@code (inner)}. */
        record Parenthesized(Span span, Value inner) implements Value {}
    }

    /** What could not be read; only in trees that come with an error. */
    record Malformed(Span span) implements Assembly {}
}
