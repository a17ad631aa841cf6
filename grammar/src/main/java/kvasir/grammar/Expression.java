package kvasir.grammar;

import java.util.List;
import java.util.Optional;

/** Something that has a value. Integers are unsigned and 64 bits wide. */
public sealed interface Expression extends Node {

    /**
     * {@code 4K}, {@code 0xfee0_0000}, {@code 0b101}.
     *
     * @param value the 64 bits
     * @param text as written
     */
    record Int(Span span, long value, String text) implements Expression {}

    /** {@code true}, {@code false}. */
    record Bool(Span span, boolean value) implements Expression {}

    /**
     * {@code "text"} or a block of lines between triple quotes.
     *
     * @param value escapes replaced; of a block, common indentation removed and no last newline
     * @param block whether it was written with triple quotes
     */
    record Text(Span span, String value, boolean block) implements Expression {}

    /**
     * {@code hex"0f 0b"}, {@code sha384"..."}: a byte string.
     *
     * @param tag the word before the quote
     * @param hex lower-case digits, two a byte; for a digest exactly as many as it has
     */
    record Bytes(Span span, String tag, String hex) implements Expression {}

    /** {@code start .. end}, half-open. */
    record Range(Span span, Expression start, Expression end) implements Expression {}

    /** {@code [a, b]}. */
    record Items(Span span, List<Expression> items) implements Expression {
        public Items {
            items = List.copyOf(items);
        }
    }

    /** {@code { gpa: 0, size: 64M }}. */
    record Fields(Span span, List<Field> fields) implements Expression {
        public Fields {
            fields = List.copyOf(fields);
        }
    }

    /** {@code name: value} of a record. */
    record Field(Span span, Identifier name, Expression value) implements Node {}

    /** A bare name: a variable, a machine object, or a word of the operation whose argument it is. */
    record Name(Span span, String name) implements Expression {}

    /** {@code object.name}. */
    record Member(Span span, Expression object, Identifier name) implements Expression {}

    /** {@code object[key]}; the key may be a range. */
    record Index(Span span, Expression object, Expression key) implements Expression {}

    /** {@code callee(arguments)}, a built-in, a function, or an operation written with parentheses. */
    record Call(Span span, Expression callee, List<Argument> arguments) implements Expression {
        public Call {
            arguments = List.copyOf(arguments);
        }
    }

    /**
     * One argument of a {@link Call}.
     *
     * @param name present if written {@code name: value}
     */
    record Argument(Span span, Optional<Identifier> name, Expression value) implements Node {}

    /**
     * {@code callee argument argument ...}: an operation as sentences write it.
     *
     * @param arguments at least one, flat: a keyword parameter is a {@link Name} and the value after it
     */
    record Invoke(Span span, Expression callee, List<Expression> arguments) implements Expression {
        public Invoke {
            arguments = List.copyOf(arguments);
        }
    }

    /** {@code -x}, {@code ~x}, {@code not x}. */
    record Unary(Span span, UnaryOperator operator, Expression operand) implements Expression {}

    /** {@code left operator right}. */
    record Binary(Span span, BinaryOperator operator, Expression left, Expression right) implements Expression {}

    /** {@code subject is pattern}, {@code subject is not pattern}; a boolean. */
    record Is(Span span, Expression subject, boolean negated, Pattern pattern) implements Expression {}

    /** {@code subject shows """picture"""}; a boolean. */
    record Shows(Span span, Expression subject, Expression picture) implements Expression {}

    /** {@code (inner)}. */
    record Parenthesized(Span span, Expression inner) implements Expression {}

    /** Where a value should stand and could not be read; only in trees that come with an error. */
    record Malformed(Span span) implements Expression {}
}
