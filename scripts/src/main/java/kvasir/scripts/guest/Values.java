package kvasir.scripts.guest;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import kvasir.grammar.Assembly;
import kvasir.grammar.Spelling;
import kvasir.metal.cpu.isa.Statement;

/**
 * What values in guest code come to. A number plus at most one label stays symbolic, so that the assembler resolves
 * it; anything more (the difference of two labels, a shifted address) is computed from the addresses of the pass before.
 */
final class Values {
    /** Begins the names of our own labels; no name in a script does. The name alone is the program's first byte. */
    static final String START = "$";

    private final Set<String> labels;
    private final Map<String, Assembly.Value> equates;
    private final Map<String, Long> constants;
    private final Map<String, Long> addresses;
    private final Set<String> resolving = new HashSet<>();
    private String here = START;
    private boolean unsettled;
    private boolean addressed;

    /** A value, or 0 with what is wrong. */
    record Result(Statement.Value value, Optional<AssemblyFault> fault) {}

    /** Ends a computation; never leaves this class. */
    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1;
        private final transient AssemblyFault fault;

        Refused(Assembly.Value value, String message, String help) {
            super(message);
            fault = new AssemblyFault(value.span(), message, help);
        }
    }

    Values(
            Set<String> labels,
            Map<String, Assembly.Value> equates,
            Map<String, Long> constants,
            Map<String, Long> addresses) {
        this.labels = labels;
        this.equates = equates;
        this.constants = constants;
        this.addresses = addresses;
    }

    /** Names the label that {@code $} stands for from now on. */
    void here(String label) {
        here = label;
    }

    /** Whether something could not be computed yet for want of addresses. */
    boolean sawUnsettled() {
        return unsettled;
    }

    /** Whether anything was computed from addresses, so that they must settle. */
    boolean usedAddresses() {
        return addressed;
    }

    /** The value, perhaps with one label in it. */
    Result symbolic(Assembly.Value value) {
        try {
            return new Result(sum(value), Optional.empty());
        } catch (Refused refused) {
            return new Result(Statement.Value.of(0), Optional.of(refused.fault));
        }
    }

    /** The value as a number, labels at their addresses of the pass before. */
    Result settled(Assembly.Value value) {
        try {
            return new Result(Statement.Value.of(number(value)), Optional.empty());
        } catch (Refused refused) {
            return new Result(Statement.Value.of(0), Optional.of(refused.fault));
        }
    }

    private Statement.Value sum(Assembly.Value value) throws Refused {
        return switch (value) {
            case Assembly.Value.Symbol symbol
            when labels.contains(symbol.name()) -> new Statement.Value(0, Optional.of(symbol.name()));
            case Assembly.Value.Symbol symbol when equates.containsKey(symbol.name()) -> equate(symbol);
            case Assembly.Value.Here h -> new Statement.Value(0, Optional.of(here));
            case Assembly.Value.Start s -> new Statement.Value(0, Optional.of(START));
            case Assembly.Value.Parenthesized p -> sum(p.inner());
            case Assembly.Value.Binary binary -> binary(binary);
            default -> Statement.Value.of(number(value));
        };
    }

    private Statement.Value binary(Assembly.Value.Binary binary) throws Refused {
        Statement.Value left = sum(binary.left());
        Statement.Value right = sum(binary.right());
        switch (binary.operator()) {
            case ADD -> {
                if (left.label().isEmpty() || right.label().isEmpty()) {
                    return new Statement.Value(
                            left.constant() + right.constant(), left.label().or(right::label));
                }
            }
            case SUBTRACT -> {
                if (right.label().isEmpty()) {
                    return new Statement.Value(left.constant() - right.constant(), left.label());
                }
            }
            default -> {}
        }
        return Statement.Value.of(number(binary));
    }

    private Statement.Value equate(Assembly.Value.Symbol symbol) throws Refused {
        if (!resolving.add(symbol.name())) {
            throw new Refused(symbol, "`" + symbol.name() + "` is defined by itself", "");
        }
        try {
            return sum(java.util.Objects.requireNonNull(equates.get(symbol.name())));
        } finally {
            resolving.remove(symbol.name());
        }
    }

    private long number(Assembly.Value value) throws Refused {
        return switch (value) {
            case Assembly.Value.Constant constant -> constant.value();
            case Assembly.Value.Text text -> packed(text);
            case Assembly.Value.Symbol symbol -> symbol(symbol);
            case Assembly.Value.Here h -> address(here);
            case Assembly.Value.Start s -> address(START);
            case Assembly.Value.Parenthesized p -> number(p.inner());
            case Assembly.Value.Unary unary ->
                switch (unary.operator()) {
                    case NEGATE -> -number(unary.operand());
                    case COMPLEMENT -> ~number(unary.operand());
                    case NOT -> throw new Refused(value, "`not` is no arithmetic", "");
                };
            case Assembly.Value.Binary binary -> compute(binary, number(binary.left()), number(binary.right()));
        };
    }

    private static long packed(Assembly.Value.Text text) throws Refused {
        byte[] bytes = text.value().getBytes(StandardCharsets.UTF_8);
        if (bytes.length > Long.BYTES) {
            throw new Refused(text, "at most 8 characters make a number", "");
        }
        long number = 0;
        for (int i = bytes.length - 1; i >= 0; i--) {
            number = number << 8 | bytes[i] & 0xff;
        }
        return number;
    }

    private long symbol(Assembly.Value.Symbol symbol) throws Refused {
        if (labels.contains(symbol.name())) {
            return address(symbol.name());
        }
        if (equates.containsKey(symbol.name())) {
            Statement.Value value = equate(symbol);
            return value.constant()
                    + (value.label().isPresent() ? address(value.label().get()) : 0);
        }
        Long constant = constants.get(symbol.name());
        if (constant != null) {
            return constant;
        }
        List<String> known = new ArrayList<>(labels);
        known.addAll(equates.keySet());
        throw new Refused(
                symbol,
                "`" + symbol.name() + "` is no register, label or integer of the script",
                Spelling.nearest(symbol.name(), known)
                        .map(near -> "did you mean `" + near + "`?")
                        .orElse(""));
    }

    private long address(String label) {
        addressed = true;
        Long address = addresses.get(label);
        if (address == null) {
            unsettled = true;
            return 0;
        }
        return address;
    }

    private static long compute(Assembly.Value.Binary binary, long x, long y) throws Refused {
        return switch (binary.operator()) {
            case ADD -> x + y;
            case SUBTRACT -> x - y;
            case MULTIPLY -> x * y;
            case DIVIDE, REMAINDER -> {
                if (y == 0) {
                    throw new Refused(binary, "division by zero", "");
                }
                yield binary.operator() == kvasir.grammar.BinaryOperator.DIVIDE
                        ? Long.divideUnsigned(x, y)
                        : Long.remainderUnsigned(x, y);
            }
            case BIT_OR -> x | y;
            case BIT_XOR -> x ^ y;
            case BIT_AND -> x & y;
            case SHIFT_LEFT -> Long.compareUnsigned(y, 64) < 0 ? x << y : 0;
            case SHIFT_RIGHT -> Long.compareUnsigned(y, 64) < 0 ? x >>> y : 0;
            case OR, AND, EQUAL, NOT_EQUAL, LESS, LESS_OR_EQUAL, GREATER, GREATER_OR_EQUAL ->
                throw new Refused(binary, "`" + binary.operator().symbol() + "` is no arithmetic", "");
        };
    }
}
