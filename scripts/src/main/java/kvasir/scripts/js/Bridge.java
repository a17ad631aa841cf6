package kvasir.scripts.js;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Guest;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
import kvasir.registry.State;
import kvasir.scripts.binding.Nothing;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Values;
import kvasir.scripts.binding.Zeros;
import org.graalvm.polyglot.Value;
import org.graalvm.polyglot.proxy.Proxy;
import org.graalvm.polyglot.proxy.ProxyObject;

/**
 * Takes values from the machine to JavaScript and back. Quantities become true BigInts through a JavaScript function:
 * a Java {@code long} handed over as it is would arrive as a number and lose bits beyond 2^53.
 */
final class Bridge {
    private final Value makers;
    private final IdentityHashMap<Described, Handle> handles = new IdentityHashMap<>();
    private final List<OutcomeView> failed = new ArrayList<>();
    private Optional<List<Supplier<Object>>> recording = Optional.empty();

    /** @param makers object of the functions by which {@code kvs.mjs} makes JavaScript values */
    Bridge(Value makers) {
        this.makers = makers;
    }

    /** The value as JavaScript holds it. */
    Object toJs(Object value) {
        return switch (value) {
            case Long quantity -> makers.invokeMember("quantity", Long.toUnsignedString(quantity));
            case Boolean flag -> flag;
            case String text -> text;
            case Range range -> makers.invokeMember("range", toJs(range.start()), toJs(range.end()));
            case Bytes bytes -> makers.invokeMember("bytes", bytes, bytes.hex());
            case State state ->
                makers.invokeMember(
                        "state",
                        state,
                        state.name(),
                        toJs(state.arguments()),
                        toJs(state.fields()),
                        Values.state(state));
            case List<?> list ->
                makers.invokeMember("list", list.stream().map(this::toJs).toArray());
            case Map<?, ?> map -> record(map);
            case Outcome outcome -> outcome(outcome);
            case Described object -> handles.computeIfAbsent(object, unseen -> new Handle(this, unseen));
            case Guest guest -> makers.invokeMember("opaque", guest, "guest " + guest.name());
            case Zeros zeros -> makers.invokeMember("opaque", zeros, "zeros");
            case Nothing nothing -> makers.getMember("nothing");
            default -> throw new IllegalStateException("no value of scripts: " + value.getClass());
        };
    }

    private Value record(Map<?, ?> map) {
        var namesAndValues = new ArrayList<Object>();
        map.forEach((name, value) -> {
            namesAndValues.add(name.toString());
            namesAndValues.add(toJs(value));
        });
        return makers.invokeMember("record", namesAndValues.toArray());
    }

    private ProxyObject outcome(Outcome outcome) {
        String place =
                outcome instanceof Outcome.Failed ? makers.invokeMember("here").asString() : "";
        var view = new OutcomeView(this, outcome, place);
        if (outcome instanceof Outcome.Failed) {
            failed.add(view);
        }
        return view;
    }

    /** The calls that {@code body} makes, in their order; none of them is done. */
    List<Supplier<Object>> recorded(Runnable body) {
        var calls = new ArrayList<Supplier<Object>>();
        recording = Optional.of(calls);
        try {
            body.run();
        } finally {
            recording = Optional.empty();
        }
        return calls;
    }

    /** Whether calls are only written down now; {@code call} then is. */
    boolean records(Supplier<Object> call) {
        recording.ifPresent(calls -> calls.add(call));
        return recording.isPresent();
    }

    /** An outcome that the script need not look at. */
    Object shown(Outcome outcome) {
        return new OutcomeView(this, outcome, "");
    }

    /** An object with these values, which are JavaScript's already. */
    Value object(Map<String, Object> values) {
        var namesAndValues = new ArrayList<Object>();
        values.forEach((name, value) -> {
            namesAndValues.add(name);
            namesAndValues.add(value);
        });
        return makers.invokeMember("record", namesAndValues.toArray());
    }

    /** The first failed outcome that the script neither asserted nor looked at. */
    Optional<OutcomeView> unread() {
        return failed.stream().filter(view -> !view.read()).findFirst();
    }

    /** Raises the refusal as a JavaScript error; never returns. */
    RuntimeException raise(Refusal refusal) {
        String help = refusal.help().map(text -> "; " + text).orElse("");
        String reason = refusal.reason().isEmpty() ? "" : " (" + refusal.reason() + ")";
        makers.invokeMember("raise", refusal.code(), refusal.message() + reason + help);
        throw new IllegalStateException("kvs.mjs did not raise " + refusal);
    }

    /** Raises an assertion error; never returns. */
    RuntimeException refuse(String message, List<String> notes) {
        makers.invokeMember("refuse", message, toJs(notes));
        throw new IllegalStateException("kvs.mjs did not raise " + message);
    }

    /**
     * What {@code value} is for the machine, where nothing is known of what is wanted: quantities may be BigInts or
     * numbers, but text stays text.
     */
    Object toMachine(Value value) {
        if (value.isBoolean()) {
            return value.asBoolean();
        }
        if (value.isString()) {
            return value.asString();
        }
        if (value.isNumber()) {
            return switch (Quantity.of(value)) {
                case Quantity.Result.Ok(long quantity) -> quantity;
                case Quantity.Result.Wrong(String reason) -> throw raise(Refusal.of("E0202", reason, ""));
            };
        }
        if (value.isProxyObject()) {
            return switch (value.<Proxy>asProxyObject()) {
                case Handle handle -> handle.object();
                case OutcomeView view -> view.take();
                default -> throw new IllegalStateException("a foreign proxy");
            };
        }
        Value origin = makers.invokeMember("origin", value);
        if (origin.isHostObject()) {
            return origin.asHostObject();
        }
        if (value.hasArrayElements()) {
            var list = new ArrayList<Object>();
            for (long i = 0; i < value.getArraySize(); i++) {
                list.add(toMachine(value.getArrayElement(i)));
            }
            return list;
        }
        if (value.hasBufferElements()) {
            return bytesOf(value);
        }
        if (value.hasMembers() && !value.canExecute()) {
            return record(value);
        }
        throw raise(
                Refusal.of("E0202", value.isNull() ? "nothing was given" : value + " is no value of the machine", ""));
    }

    /** Whether {@code value} is an object literal rather than one of ours. */
    boolean isPlain(Value value) {
        return !makers.invokeMember("origin", value).isHostObject();
    }

    private Map<String, Object> record(Value value) {
        var fields = new LinkedHashMap<String, Object>();
        for (String name : value.getMemberKeys()) {
            fields.put(name, toMachine(value.getMember(name)));
        }
        return fields;
    }

    private static Bytes bytesOf(Value buffer) {
        byte[] content = new byte[Math.toIntExact(buffer.getBufferSize())];
        buffer.readBuffer(0, content, 0, content.length);
        return Bytes.of(content);
    }
}
