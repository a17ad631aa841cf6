package kvasir.scripts.guest;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import kvasir.grammar.Assembly;
import kvasir.grammar.BinaryOperator;
import kvasir.metal.cpu.isa.Statement;

/** Takes the sum between the brackets of a memory operand apart: base, index × scale, displacement. */
final class AddressSum {
    private static final int MOST_SCALE = 8;

    private final Values values;
    private final Function<Assembly.Value, Optional<String>> register;
    private final List<AssemblyFault> faults = new ArrayList<>();
    private Optional<String> base = Optional.empty();
    private Optional<String> index = Optional.empty();
    private int scale = 1;
    private long constant;
    private Optional<String> label = Optional.empty();

    /** @param register the name of the register that a value is, if it is one */
    AddressSum(Values values, Function<Assembly.Value, Optional<String>> register) {
        this.values = values;
        this.register = register;
    }

    /** Adds {@code value}, or with {@code sign} -1 takes it away. */
    void add(Assembly.Value value, int sign) {
        Optional<String> name = register.apply(value);
        if (name.isPresent()) {
            register(value, name.get(), sign);
            return;
        }
        switch (value) {
            case Assembly.Value.Parenthesized p -> add(p.inner(), sign);
            case Assembly.Value.Binary sum
            when sum.operator() == BinaryOperator.ADD -> {
                add(sum.left(), sign);
                add(sum.right(), sign);
            }
            case Assembly.Value.Binary difference
            when difference.operator() == BinaryOperator.SUBTRACT && holdsRegister(difference) -> {
                add(difference.left(), sign);
                add(difference.right(), -sign);
            }
            case Assembly.Value.Binary product
            when product.operator() == BinaryOperator.MULTIPLY && holdsRegister(product) -> scaled(product, sign);
            default -> displacement(value, sign);
        }
    }

    private boolean holdsRegister(Assembly.Value value) {
        return register.apply(value).isPresent()
                || switch (value) {
                    case Assembly.Value.Parenthesized p -> holdsRegister(p.inner());
                    case Assembly.Value.Binary b -> holdsRegister(b.left()) || holdsRegister(b.right());
                    default -> false;
                };
    }

    private void register(Assembly.Value value, String name, int sign) {
        if (sign < 0) {
            fault(value, "a register cannot be taken away from an address");
        } else if (base.isEmpty()) {
            base = Optional.of(name);
        } else if (index.isEmpty()) {
            index = Optional.of(name);
        } else {
            fault(value, "an address has at most two registers");
        }
    }

    private void scaled(Assembly.Value.Binary product, int sign) {
        boolean first = register.apply(product.left()).isPresent();
        Assembly.Value factor = first ? product.right() : product.left();
        Optional<String> name = register.apply(first ? product.left() : product.right());
        Values.Result by = values.settled(factor);
        by.fault().ifPresent(faults::add);
        long number = by.value().constant();
        if (name.isEmpty() || sign < 0 || Long.bitCount(number) != 1 || number > MOST_SCALE) {
            fault(product, "an index register is multiplied by 1, 2, 4 or 8");
        } else if (index.isEmpty()) {
            index = name;
            scale = (int) number;
        } else if (base.isEmpty() && scale == 1) {
            base = index;
            index = name;
            scale = (int) number;
        } else {
            fault(product, "an address has at most two registers");
        }
    }

    private void displacement(Assembly.Value value, int sign) {
        Values.Result result = sign > 0 && label.isEmpty() ? values.symbolic(value) : values.settled(value);
        result.fault().ifPresent(faults::add);
        constant += sign * result.value().constant();
        label = label.or(() -> result.value().label());
    }

    private void fault(Assembly.Value value, String message) {
        faults.add(new AssemblyFault(value.span(), message, ""));
    }

    boolean usesRegisters() {
        return base.isPresent() || index.isPresent();
    }

    Optional<String> base() {
        return base;
    }

    Optional<String> index() {
        return index;
    }

    int scale() {
        return scale;
    }

    Statement.Value displacement() {
        return new Statement.Value(constant, label);
    }

    List<AssemblyFault> faults() {
        return faults;
    }
}
