package kvasir.scripts;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import kvasir.registry.Api;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Arguments;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Guest;
import kvasir.registry.Range;
import kvasir.vmm.Machine;
import kvasir.vmm.VmBuilder;
import kvasir.vmm.VmHandle;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every verb, property and index of every object of a machine, called with values that nobody means: whatever they answer,
 * no Java exception comes out, and the machine goes on.
 */
final class OddInputTest {
    private static final List<Long> NUMBERS =
            List.of(0L, 1L, 4095L, 4096L, 1L << 31, (1L << 32) + 4096, Long.MAX_VALUE, Long.MIN_VALUE, -4096L, -1L);
    private static final List<Object> RANGES = List.of(
            new Range(0, 0),
            new Range(0, 4096),
            new Range(1, 4097),
            new Range(0x10_0000, 0x10_1000),
            new Range(Long.MIN_VALUE, Long.MIN_VALUE + 4096),
            new Range(-8192, -4096),
            new Range(-4096, -1));
    private static final List<Object> LISTS =
            List.of(List.of(), List.of(-1L), List.of("x"), List.of(List.of(-1L, -1L)), List.of(Map.of("gsi", -1L)));
    private static final List<Object> RECORDS = List.of(
            Map.of(),
            Map.of("nothing", 1L),
            Map.of("flags", -1L),
            Map.of("cs", Map.of("base", -1L)),
            Map.of("rip", "x"));
    private static final List<Object> BYTES =
            List.of(Bytes.of(), Bytes.of((byte) 0x5a), Bytes.of(new byte[4096]), Bytes.of(new byte[8]));

    /** As usual, but a guest that does not exit is soon taken for an endless loop. */
    private static final Machine.Config CONFIG = new Machine.Config(
            Machine.Config.standard().semantics(),
            Machine.Config.standard().host(),
            1,
            5_000,
            Machine.Config.standard().engine());

    /** How many instructions or periods: anything may be asked for, and then it takes its time. */
    private static final Set<String> PATIENT = Set.of("budget", "count");

    /** They wait for what a user does, or read files. */
    private static final Set<String> LEFT_OUT = Set.of("expect");

    private static final Guest HALT = new Guest() {
        @Override
        public String name() {
            return "halt";
        }

        @Override
        public int bits() {
            return 64;
        }

        @Override
        public Bytes assembledAt(long address) {
            return Bytes.of((byte) 0xf4);
        }
    };

    static Stream<String> kinds() {
        return new KvasirMachines().vmTypes().stream();
    }

    private final Map<String, String> found = new TreeMap<>();

    @ParameterizedTest
    @MethodSource("kinds")
    void noJavaExceptionComesOut(String word) {
        Machine machine = new Machine(CONFIG);
        VmBuilder builder = machine.declare("vm", word);
        call(builder, "memory", Map.of("range", new Range(0, 16 << 20)));
        call(builder, "irqchip", Map.of());
        Object built = machine.build(builder);
        VmHandle vm = built instanceof VmHandle handle ? handle : (VmHandle) machine.build(machine.declare("vm", word));
        Runnable back = machine.checkpoint();
        for (Described object : reachable(List.of(vm, machine.global("machine").orElseThrow()))) {
            oddly(object, back);
        }
        oddly(machine.global("host").orElseThrow(), back);
        var fresh = machine.declare("other", word);
        oddly(fresh, () -> {});
        assertEquals(new TreeMap<>(), found);
    }

    /** The objects behind properties, one of each class and label. */
    private static List<Described> reachable(List<Described> roots) {
        var all = new LinkedHashMap<String, Described>();
        Deque<Described> open = new ArrayDeque<>(roots);
        while (!open.isEmpty()) {
            Described object = open.poll();
            if (all.putIfAbsent(object.api().name() + " " + object.label(), object) == null) {
                properties(object).forEach(value -> {
                    if (value instanceof Described inner) {
                        open.add(inner);
                    } else if (value instanceof List<?> list && list.stream().allMatch(Described.class::isInstance)) {
                        list.stream().limit(1).forEach(each -> open.add((Described) each));
                    }
                });
            }
        }
        return List.copyOf(all.values());
    }

    @SuppressWarnings("unchecked")
    private static List<Object> properties(Described object) {
        var values = new ArrayList<>();
        for (Api.Property<Object> property : ((Api<Object>) object.api()).properties()) {
            try {
                values.add(property.getter().apply(object));
            } catch (RuntimeException ignored) {
                // it is found again when the property is read on purpose
            }
        }
        return values;
    }

    @SuppressWarnings("unchecked")
    private static Optional<Object> call(Described object, String name, Map<String, ?> arguments) {
        return ((Api<Object>) object.api())
                .operations().stream()
                        .filter(operation -> operation.name().equals(name))
                        .findFirst()
                        .map(operation -> operation.body().apply(object, new Arguments(arguments)));
    }

    @SuppressWarnings("unchecked")
    private void oddly(Described object, Runnable back) {
        Api<Object> api = (Api<Object>) object.api();
        for (Api.Operation<Object> operation : api.operations()) {
            if (!LEFT_OUT.contains(operation.name())) {
                for (Map<String, Object> arguments : combinations(operation.parameters(), object)) {
                    attempt(
                            api.name() + "." + operation.name() + " " + arguments,
                            () -> operation.body().apply(object, new Arguments(arguments)));
                }
                attempt(api.name() + " restored", () -> {
                    back.run();
                    return true;
                });
            }
        }
        for (Api.Property<Object> property : api.properties()) {
            String name = api.name() + "." + property.name();
            attempt(name, () -> property.getter().apply(object));
            property.setter()
                    .ifPresent(setter -> values(property.type()).forEach(value -> {
                        attempt(name + " = " + value, () -> setter.apply(object, value));
                        attempt(
                                name + " after " + value,
                                () -> property.getter().apply(object));
                    }));
        }
        api.index().ifPresent(index -> {
            NUMBERS.forEach(key ->
                    attempt(api.name() + "[" + key + "]", () -> index.body().apply(object, key)));
            RANGES.forEach(key ->
                    attempt(api.name() + "[" + key + "]", () -> index.body().apply(object, key)));
        });
        attempt(api.name() + " picture", object::picture);
        attempt(api.name() + " state", object::state);
        back.run();
    }

    private static List<Object> values(String type) {
        return switch (type) {
            case "u64" -> List.copyOf(NUMBERS);
            case "bool" -> List.of(true, false);
            case "string" -> List.of("", "x");
            case "bytes" -> BYTES;
            default -> List.of();
        };
    }

    /** Calls that differ from a plain one in one argument. */
    private static List<Map<String, Object>> combinations(List<Parameter> parameters, Described self) {
        var plain = new LinkedHashMap<String, Object>();
        for (Parameter parameter : parameters) {
            if (!parameter.optional()) {
                plain.put(parameter.name(), odd(parameter, self).getFirst());
            }
        }
        var all = new ArrayList<Map<String, Object>>();
        all.add(plain);
        for (Parameter parameter : parameters) {
            for (Object value : odd(parameter, self)) {
                var changed = new LinkedHashMap<>(plain);
                changed.put(parameter.name(), value);
                all.add(changed);
            }
        }
        // all numbers at once
        for (long number : NUMBERS) {
            var changed = new LinkedHashMap<>(plain);
            parameters.stream()
                    .filter(p -> p.kind() == Api.Kind.U64 && !PATIENT.contains(p.name()))
                    .forEach(p -> changed.put(p.name(), number));
            all.add(changed);
        }
        return all;
    }

    private static List<Object> odd(Parameter parameter, Described self) {
        return switch (parameter.kind()) {
            case U64 -> PATIENT.contains(parameter.name()) ? List.of(1L, 0L, 100L) : List.copyOf(NUMBERS);
            case RANGE -> RANGES;
            case BOOL -> List.of(true);
            case STRING -> List.of("x", "", "EFER", "ds");
            case BYTES -> BYTES;
            case WORD -> List.copyOf(parameter.words());
            case GUEST -> List.of(HALT);
            case HANDLE -> List.of(self, new Machine(CONFIG).global("host").orElseThrow());
            case LIST -> LISTS;
            case RECORD -> RECORDS;
        };
    }

    private interface Call {
        Object run();
    }

    private void attempt(String what, Call call) {
        try {
            Object answer = call.run();
            assertEquals(true, Optional.ofNullable(answer).isPresent(), what);
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError | AssertionError bug) {
            StackTraceElement[] trace = bug.getStackTrace();
            String where = Stream.of(trace)
                    .filter(frame -> frame.getClassName().startsWith("kvasir."))
                    .findFirst()
                    .map(StackTraceElement::toString)
                    .orElse("");
            found.putIfAbsent(where + " " + bug, what);
        }
    }
}
