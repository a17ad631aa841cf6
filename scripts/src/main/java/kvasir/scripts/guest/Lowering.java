package kvasir.scripts.guest;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import kvasir.grammar.Assembly;
import kvasir.grammar.Identifier;
import kvasir.metal.cpu.isa.Register;
import kvasir.metal.cpu.isa.Statement;
import kvasir.metal.cpu.isa.Statement.Argument;

/** One pass from the tree to the assembler's statements, with the label addresses of the pass before. */
final class Lowering {
    private static final int MOST_REPEATED = 1 << 20;
    private static final int SIZE_OF_TEXT = 8;

    private final List<Assembly> items;
    private final Values values;
    private final List<Statement> statements = new ArrayList<>();
    private final List<AssemblyFault> faults = new ArrayList<>();
    private final Map<String, Assembly.Value> equates = new HashMap<>();
    private long origin;
    private int item;
    private int marks;

    /**
     * @param constants integers of the script
     * @param labels addresses as the pass before found them; empty in the first
     */
    Lowering(List<Assembly> items, Map<String, Long> constants, Map<String, Long> labels, long address) {
        this.items = items;
        this.origin = address;
        for (Assembly each : items) {
            if (each instanceof Assembly.Equ equ) {
                equates.put(equ.name().text(), equ.value());
            }
        }
        this.values = new Values(labelNames(), equates, constants, labels);
    }

    private java.util.Set<String> labelNames() {
        var names = new java.util.HashSet<String>();
        for (Assembly each : items) {
            if (each instanceof Assembly.Label label) {
                names.add(label.name().text());
            }
        }
        return names;
    }

    /** Address of the first byte: where it is loaded, unless the program says {@code org}. */
    long origin() {
        return origin;
    }

    List<AssemblyFault> faults() {
        return faults;
    }

    /** Whether another pass would not help: something is wrong that does not depend on addresses. */
    boolean hopeless() {
        return !values.sawUnsettled();
    }

    /** Whether the statements depend on addresses of the pass before. */
    boolean depends() {
        return values.usedAddresses();
    }

    List<Statement> statements() {
        statements.add(new Statement.Label(0, Values.START));
        for (item = 0; item < items.size(); item++) {
            lower(items.get(item));
        }
        return statements;
    }

    private void lower(Assembly each) {
        switch (each) {
            case Assembly.Label label ->
                statements.add(new Statement.Label(item, label.name().text()));
            case Assembly.Instruction instruction -> instruction(instruction);
            case Assembly.Data data -> data(data);
            case Assembly.Times times -> {
                long count = number(times.count());
                if (Long.compareUnsigned(count, MOST_REPEATED) > 0) {
                    fault(times.count(), "repeated " + Long.toUnsignedString(count) + " times", "");
                    return;
                }
                for (long i = 0; i < count; i++) {
                    lower(times.item());
                }
            }
            case Assembly.Equ equ -> {}
            case Assembly.Align align -> {
                long boundary = number(align.boundary());
                if (Long.bitCount(boundary) != 1 || boundary > MOST_REPEATED) {
                    fault(align.boundary(), "an alignment is a power of two", "");
                } else {
                    statements.add(new Statement.Align(item, (int) boundary));
                }
            }
            case Assembly.Org org -> {
                if (statements.stream().allMatch(s -> s instanceof Statement.Label)) {
                    origin = number(org.address());
                } else {
                    faults.add(new AssemblyFault(org.span(), "`org` stands before the first byte", ""));
                }
            }
            case Assembly.Malformed malformed -> {}
        }
    }

    private void instruction(Assembly.Instruction instruction) {
        values.here(mark());
        var operands = new ArrayList<Argument>();
        for (Assembly.Operand operand : instruction.operands()) {
            operands.add(operand(operand));
        }
        var prefixes = instruction.prefixes().stream()
                .map(prefix -> prefix.text().toLowerCase(Locale.ROOT))
                .toList();
        statements.add(new Statement.Code(item, prefixes, mnemonic(instruction), operands));
    }

    /** Far jumps and calls have names of their own in the instruction table. */
    private static String mnemonic(Assembly.Instruction instruction) {
        String name = instruction.mnemonic().text().toLowerCase(Locale.ROOT);
        boolean far = instruction.operands().stream()
                .anyMatch(operand -> operand instanceof Assembly.Operand.FarPointer
                        || operand.distance().equals(Optional.of(Assembly.Distance.FAR)));
        return far && (name.equals("jmp") || name.equals("call")) ? name + "f" : name;
    }

    /** A label of our own at this item, which {@code $} stands for. */
    private String mark() {
        String name = Values.START + marks++;
        statements.add(new Statement.Label(item, name));
        return name;
    }

    private Argument operand(Assembly.Operand operand) {
        return switch (operand) {
            case Assembly.Operand.Plain plain -> plain(plain);
            case Assembly.Operand.Memory memory -> memory(memory);
            case Assembly.Operand.FarPointer far -> new Argument.Far(value(far.selector()), value(far.offset()));
        };
    }

    private Argument plain(Assembly.Operand.Plain plain) {
        return register(plain.value())
                .<Argument>map(Argument.Reg::new)
                .orElseGet(() -> new Argument.Constant(value(plain.value())));
    }

    private Optional<String> register(Assembly.Value value) {
        if (value instanceof Assembly.Value.Symbol symbol) {
            String name = symbol.name().toLowerCase(Locale.ROOT);
            return Register.named(name).map(known -> name);
        }
        return Optional.empty();
    }

    private Argument memory(Assembly.Operand.Memory memory) {
        var sum = new AddressSum(values, this::register);
        sum.add(memory.address(), 1);
        faults.addAll(sum.faults());
        if (memory.relative() && sum.usesRegisters()) {
            faults.add(new AssemblyFault(memory.span(), "`rel` takes a label only", ""));
        }
        return new Argument.Memory(
                memory.size().map(Assembly.Size::bytes).orElse(0),
                memory.segment().map(Identifier::text).map(name -> name.toLowerCase(Locale.ROOT)),
                sum.base(),
                sum.index(),
                sum.scale(),
                sum.displacement());
    }

    private void data(Assembly.Data data) {
        values.here(mark());
        var numbers = new ArrayList<Statement.Value>();
        for (Assembly.Value value : data.values()) {
            if (value instanceof Assembly.Value.Text text) {
                byte[] bytes = text.value().getBytes(StandardCharsets.UTF_8);
                for (int at = 0; at < bytes.length; at += data.unit()) {
                    numbers.add(Statement.Value.of(packed(bytes, at, data.unit())));
                }
            } else {
                numbers.add(value(value));
            }
        }
        statements.add(new Statement.Data(item, data.unit(), numbers));
    }

    private static long packed(byte[] bytes, int from, int unit) {
        long number = 0;
        for (int i = Math.min(unit, SIZE_OF_TEXT) - 1; i >= 0; i--) {
            number = number << 8 | (from + i < bytes.length ? bytes[from + i] & 0xff : 0);
        }
        return number;
    }

    private Statement.Value value(Assembly.Value value) {
        Values.Result result = values.symbolic(value);
        result.fault().ifPresent(faults::add);
        return result.value();
    }

    private long number(Assembly.Value value) {
        values.here(mark());
        Values.Result result = values.settled(value);
        result.fault().ifPresent(faults::add);
        return result.value().constant();
    }

    private void fault(Assembly.Value value, String message, String help) {
        faults.add(new AssemblyFault(value.span(), message, help));
    }
}
