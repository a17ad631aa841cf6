package kvasir.grammar;

/** Operators between two operands, weakest first. Arithmetic is modulo 2^64, order and division are unsigned. */
public enum BinaryOperator {
    OR("or", 1),
    AND("and", 2),
    EQUAL("==", 4),
    NOT_EQUAL("!=", 4),
    LESS("<", 4),
    LESS_OR_EQUAL("<=", 4),
    GREATER(">", 4),
    GREATER_OR_EQUAL(">=", 4),
    BIT_OR("|", 6),
    BIT_XOR("^", 7),
    BIT_AND("&", 8),
    SHIFT_LEFT("<<", 9),
    SHIFT_RIGHT(">>", 9),
    ADD("+", 10),
    SUBTRACT("-", 10),
    MULTIPLY("*", 11),
    DIVIDE("/", 11),
    REMAINDER("%", 11);

    private final String symbol;
    private final int strength;

    BinaryOperator(String symbol, int strength) {
        this.symbol = symbol;
        this.strength = strength;
    }

    /** As scripts write it. */
    public String symbol() {
        return symbol;
    }

    /** A stronger operator takes its operands first; {@code not} is 3, {@code is} is 4, {@code ..} is 5. */
    public int strength() {
        return strength;
    }
}
