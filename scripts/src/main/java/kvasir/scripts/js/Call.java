package kvasir.scripts.js;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Arguments;
import kvasir.registry.Bytes;
import kvasir.registry.Range;
import kvasir.scripts.binding.ArgumentCheck;
import kvasir.scripts.binding.ArgumentPlan;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Spelling;
import kvasir.scripts.binding.Values;
import kvasir.scripts.binding.Zeros;
import org.graalvm.polyglot.Value;

/**
 * The arguments of one operation as JavaScript gives them: {@code load(probe, { at: "1M" })}. Positional parameters
 * come first, keyword parameters in a last object; a range may be given as its start and end.
 */
final class Call {
    private final Bridge bridge;
    private final Api.Operation<?> operation;
    private final String label;
    private final Map<String, Object> bound = new LinkedHashMap<>();

    Call(Bridge bridge, Api.Operation<?> operation, String label) {
        this.bridge = bridge;
        this.operation = operation;
        this.label = label;
    }

    /** The arguments by name, checked. */
    Arguments bind(List<Value> given) {
        List<Value> positional = given;
        if (!given.isEmpty() && isOptions(given.getLast())) {
            positional = given.subList(0, given.size() - 1);
            keywords(given.getLast());
        }
        int next = 0;
        for (Parameter parameter : operation.parameters()) {
            if (bound.containsKey(parameter.name()) || next >= positional.size()) {
                continue;
            }
            if (parameter.kind() == Kind.RANGE
                    && next + 1 < positional.size()
                    && isQuantity(positional.get(next))
                    && isQuantity(positional.get(next + 1))) {
                put(
                        parameter,
                        new Range(
                                quantity(parameter, positional.get(next)),
                                quantity(parameter, positional.get(next + 1))));
                next += 2;
            } else {
                put(parameter, convert(parameter, positional.get(next)));
                next++;
            }
        }
        if (next < positional.size()) {
            throw bridge.raise(Refusal.of("E0203", label + " does not take so many arguments", "")
                    .help("in KVS it is written " + ArgumentPlan.signature(operation)));
        }
        return finished();
    }

    /** The one argument of a declaration's line: {@code vcpus: 1}, {@code memory: { gpa: 0, size: "64M" }}. */
    Arguments bindField(Value value) {
        if (value.isBoolean() && value.asBoolean() && needsNothing()) {
            return bind(List.of());
        }
        if (!isPlainObject(value)) {
            return value.hasArrayElements() ? bind(elements(value)) : bind(List.of(value));
        }
        List<Value> alone = List.of(value);
        boolean rangeOnly = range(value).isPresent() && value.getMemberKeys().size() == 2;
        if (isOptions(value) || rangeOnly) {
            return bind(alone);
        }
        Optional<Parameter> ranged = operation.parameters().stream()
                .filter(parameter -> parameter.kind() == Kind.RANGE)
                .findFirst();
        Optional<Range> range = range(value);
        if (ranged.isPresent() && range.isPresent()) {
            put(ranged.get(), range.get());
        }
        for (String name : value.getMemberKeys()) {
            boolean partOfRange = range.isPresent() && ranged.isPresent() && rangeWord(name);
            if (!partOfRange) {
                keyword(name, value.getMember(name));
            }
        }
        return finished();
    }

    /** Whether the word can stand alone, and does not take {@code true} for an argument. */
    private boolean needsNothing() {
        return operation.parameters().stream()
                        .allMatch(parameter ->
                                parameter.optional() || parameter.keyword() && parameter.kind() == Kind.BOOL)
                && operation.parameters().stream()
                        .noneMatch(parameter -> !parameter.keyword() && parameter.kind() == Kind.BOOL);
    }

    private static List<Value> elements(Value array) {
        var list = new ArrayList<Value>();
        for (long i = 0; i < array.getArraySize(); i++) {
            list.add(array.getArrayElement(i));
        }
        return list;
    }

    private Arguments finished() {
        for (Parameter parameter : operation.parameters()) {
            if (!parameter.optional()
                    && !bound.containsKey(parameter.name())
                    && !(parameter.keyword() && parameter.kind() == Kind.BOOL)) {
                throw bridge.raise(Refusal.of(
                                "E0204",
                                label + " needs " + Values.article(ArgumentPlan.kindName(parameter.kind())) + ": "
                                        + parameter.doc(),
                                "`" + parameter.name() + "` is missing")
                        .help("in KVS it is written " + ArgumentPlan.signature(operation)));
            }
        }
        bound.replaceAll((name, value) -> value == Zeros.ZEROS ? zeros() : value);
        return new Arguments(bound);
    }

    /** As many zeros as the range beside them has bytes. */
    private Bytes zeros() {
        for (Object value : bound.values()) {
            if (value instanceof Range range && Long.compareUnsigned(range.size(), Integer.MAX_VALUE) < 0) {
                return Bytes.of(new byte[(int) range.size()]);
            }
        }
        throw bridge.raise(Refusal.of("E0307", "how many zeros " + label + " needs is not known", "no range beside it")
                .help("write how many: zeros(\"4K\")"));
    }

    private void keywords(Value options) {
        for (String name : options.getMemberKeys()) {
            keyword(name, options.getMember(name));
        }
    }

    private void keyword(String name, Value value) {
        Optional<Parameter> parameter = parameter(name);
        if (parameter.isPresent()) {
            if (!(parameter.get().kind() == Kind.BOOL && value.isBoolean() && !value.asBoolean())) {
                put(parameter.get(), convert(parameter.get(), value));
            }
            return;
        }
        // A word of a parameter may be switched on by its own name: { private: true }.
        for (Parameter candidate : operation.parameters()) {
            if (candidate.words().contains(name) && value.isBoolean()) {
                if (value.asBoolean()) {
                    put(candidate, name);
                }
                return;
            }
        }
        List<String> names = new ArrayList<>();
        operation.parameters().forEach(each -> {
            names.add(each.name());
            names.addAll(each.words());
        });
        throw bridge.raise(Refusal.of("E0203", label + " has no parameter `" + name + "`", "unknown")
                .help(Spelling.help(name, names)));
    }

    private Optional<Parameter> parameter(String name) {
        return operation.parameters().stream()
                .filter(parameter -> parameter.name().equals(name))
                .findFirst();
    }

    private void put(Parameter parameter, Object value) {
        Optional<Refusal> refusal = ArgumentCheck.refusal(label, parameter, value);
        if (refusal.isPresent()) {
            throw bridge.raise(refusal.get());
        }
        if (bound.putIfAbsent(parameter.name(), value) != null) {
            throw bridge.raise(Refusal.of("E0203", "`" + parameter.name() + "` of " + label + " is given twice", ""));
        }
    }

    private Object convert(Parameter parameter, Value value) {
        return switch (parameter.kind()) {
            case U64 -> quantity(parameter, value);
            case RANGE -> range(value).<Object>map(range -> range).orElseGet(() -> bridge.toMachine(value));
            case BYTES -> bytes(parameter, value);
            case BOOL, STRING, WORD, GUEST, HANDLE, LIST, RECORD -> bridge.toMachine(value);
        };
    }

    /** Hexadecimal digits, an array of bytes, or a value that is bytes already. */
    private Object bytes(Parameter parameter, Value value) {
        if (value.isString()) {
            return hex(parameter, value.asString());
        }
        if (!value.hasArrayElements()) {
            return bridge.toMachine(value);
        }
        byte[] content = new byte[Math.toIntExact(value.getArraySize())];
        for (int i = 0; i < content.length; i++) {
            Value element = value.getArrayElement(i);
            if (!element.fitsInInt() || element.asInt() < 0 || element.asInt() > 0xff) {
                throw wrong(parameter, "item " + i + " is no byte");
            }
            content[i] = (byte) element.asInt();
        }
        return Bytes.of(content);
    }

    private Bytes hex(Parameter parameter, String digits) {
        if (!digits.matches("([0-9a-fA-F]{2})*")) {
            throw wrong(parameter, "the text is no hexadecimal bytes");
        }
        return Bytes.fromHex(digits);
    }

    private long quantity(Parameter parameter, Value value) {
        return switch (Quantity.of(value)) {
            case Quantity.Result.Ok(long quantity) -> quantity;
            case Quantity.Result.Wrong(String reason) -> throw wrong(parameter, reason);
        };
    }

    private RuntimeException wrong(Parameter parameter, String reason) {
        return bridge.raise(Refusal.of(
                "E0202",
                label + " wants " + Values.article(ArgumentPlan.kindName(parameter.kind())) + " as its `"
                        + parameter.name() + "`",
                reason));
    }

    /** A Range, {@code [start, end]}, {@code "0 .. 2M"}, {@code { start, end }} or {@code { gpa, size }}. */
    private Optional<Range> range(Value value) {
        if (value.isString()) {
            return Quantity.rangeOfText(value.asString());
        }
        if (value.hasArrayElements() && value.getArraySize() == 2) {
            return range(value.getArrayElement(0), value.getArrayElement(1), false);
        }
        if (value.isProxyObject() || !value.hasMembers()) {
            return Optional.empty();
        }
        if (value.hasMember("start") && value.hasMember("end")) {
            return range(value.getMember("start"), value.getMember("end"), false);
        }
        if (value.hasMember("gpa") && value.hasMember("size")) {
            return range(value.getMember("gpa"), value.getMember("size"), true);
        }
        return Optional.empty();
    }

    private static Optional<Range> range(Value first, Value second, boolean size) {
        return Quantity.of(first) instanceof Quantity.Result.Ok(long start)
                        && Quantity.of(second) instanceof Quantity.Result.Ok(long end)
                ? Optional.of(new Range(start, size ? start + end : end))
                : Optional.empty();
    }

    private static boolean rangeWord(String name) {
        return switch (name) {
            case "start", "end", "gpa", "size" -> true;
            default -> false;
        };
    }

    private static boolean isQuantity(Value value) {
        return Quantity.of(value) instanceof Quantity.Result.Ok;
    }

    /** Whether a last argument holds keyword parameters rather than being a range or a record itself. */
    private boolean isOptions(Value value) {
        if (!isPlainObject(value) || value.getMemberKeys().isEmpty()) {
            return false;
        }
        boolean allKnown =
                value.getMemberKeys().stream().allMatch(name -> parameter(name).isPresent());
        boolean takesKeywords = operation.parameters().stream().anyMatch(Parameter::keyword);
        return allKnown || takesKeywords && range(value).isEmpty();
    }

    private boolean isPlainObject(Value value) {
        return value.hasMembers()
                && !value.isProxyObject()
                && !value.isString()
                && !value.canExecute()
                && !value.hasArrayElements()
                && !value.hasBufferElements()
                && bridge.isPlain(value);
    }
}
