package kvasir.grammar;

/** Operators before their operand. */
public enum UnaryOperator {
    /** Two's complement. */
    NEGATE("-"),
    /** All 64 bits flipped. */
    COMPLEMENT("~"),
    /** Boolean. */
    NOT("not");

    private final String symbol;

    UnaryOperator(String symbol) {
        this.symbol = symbol;
    }

    /** As scripts write it. */
    public String symbol() {
        return symbol;
    }
}
