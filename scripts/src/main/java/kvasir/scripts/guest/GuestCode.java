package kvasir.scripts.guest;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kvasir.grammar.Assembly;
import kvasir.metal.cpu.isa.Assembled;
import kvasir.metal.cpu.isa.Assembler;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.registry.Bytes;
import kvasir.registry.Guest;

/**
 * A guest program of a script.
 *
 * @param constants integers of the script that the program names
 */
public record GuestCode(String name, int bits, List<Assembly> items, Map<String, Long> constants) implements Guest {
    private static final int MOST_PASSES = 16;

    public GuestCode {
        items = List.copyOf(items);
        constants = Map.copyOf(constants);
    }

    /** The program does not fit the address it is loaded at; the script is to blame. */
    public static final class Unplaceable extends RuntimeException {
        private static final long serialVersionUID = 1;

        Unplaceable(String message) {
            super(message);
        }
    }

    /**
     * What assembling gave.
     *
     * @param faults in the order of the source; the code is empty if there are any
     */
    public record Result(Bytes code, List<AssemblyFault> faults) {}

    @Override
    public Bytes assembledAt(long address) {
        Result result = assemble(address);
        if (!result.faults().isEmpty()) {
            AssemblyFault first = result.faults().getFirst();
            throw new Unplaceable(first.message() + " (" + first.span() + ")");
        }
        return result.code();
    }

    /** Assembles it for {@code address}, telling all that is wrong. */
    public Result assemble(long address) {
        Map<String, Long> labels = new HashMap<>();
        for (int pass = 0; ; pass++) {
            var lowering = new Lowering(items, constants, labels, address);
            var statements = lowering.statements();
            boolean wrong = !lowering.faults().isEmpty() && (pass > 0 || lowering.hopeless());
            Assembled assembled = Assembler.assemble(size(), lowering.origin(), statements);
            if (wrong || !assembled.ok()) {
                var faults = new ArrayList<>(lowering.faults());
                assembled
                        .errors()
                        .forEach(error -> faults.add(
                                new AssemblyFault(items.get(error.line()).span(), error.message(), error.help())));
                return new Result(Bytes.of(), faults.stream().distinct().toList());
            }
            if (lowering.faults().isEmpty()
                    && (!lowering.depends() || assembled.labels().equals(labels))) {
                return new Result(assembled.code(), List.of());
            }
            if (pass == MOST_PASSES) {
                var fault = new AssemblyFault(items.getFirst().span(), "its addresses do not settle", "");
                return new Result(Bytes.of(), List.of(fault));
            }
            labels = new HashMap<>(assembled.labels());
        }
    }

    private CodeSize size() {
        return switch (bits) {
            case 16 -> CodeSize.BITS16;
            case 32 -> CodeSize.BITS32;
            default -> CodeSize.BITS64;
        };
    }

    @Override
    public String toString() {
        return name;
    }
}
