package kvasir.scripts.js;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import kvasir.registry.Api;
import kvasir.registry.Arguments;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
import kvasir.scripts.binding.Assignment;
import kvasir.scripts.binding.Members;
import kvasir.scripts.binding.Nothing;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Values;
import org.graalvm.polyglot.Value;
import org.graalvm.polyglot.proxy.ProxyArray;
import org.graalvm.polyglot.proxy.ProxyExecutable;
import org.graalvm.polyglot.proxy.ProxyObject;

/**
 * A machine object as JavaScript sees it: its operations are methods, its properties are properties, and
 * {@code object[0x1000]} or {@code object["0 .. 2M"]} is what its index gives. A name it does not have is an error,
 * not {@code undefined}.
 */
final class Handle implements ProxyObject {
    /** Names that JavaScript itself looks for behind the writer's back. */
    private static final Set<String> PROBED = Set.of(
            "then", "toJSON", "constructor", "valueOf", "prototype", "length", "name", "message", "stack", "cause");

    private final Bridge bridge;
    private final Described object;

    Handle(Bridge bridge, Described object) {
        this.bridge = bridge;
        this.object = object;
    }

    Described object() {
        return object;
    }

    @Override
    public Object getMember(String key) {
        return member(object.api(), key);
    }

    private <T> Object member(Api<T> api, String key) {
        T self = api.type().cast(object);
        Optional<Api.Property<T>> property = Members.property(api, key);
        if (property.isPresent()) {
            return bridge.toJs(property.get().getter().apply(self));
        }
        Optional<Api.Operation<T>> operation = Members.operation(api, key);
        if (operation.isPresent()) {
            return (ProxyExecutable) arguments -> call(self, operation.get(), arguments);
        }
        Optional<Members.Numbered<T>> numbered = Members.numbered(api, key);
        if (numbered.isPresent()) {
            return element(self, numbered.get());
        }
        if (api.index().isPresent()) {
            Optional<Object> place = place(key);
            if (place.isPresent()) {
                Object value = api.index().get().body().apply(self, place.get());
                if (value instanceof Outcome.Failed failed) {
                    throw bridge.raise(
                            Refusal.of("E0306", object.label() + "[" + key + "]: " + failed.name(), failed.reason()));
                }
                return bridge.toJs(value);
            }
        }
        if (key.equals("toString")) {
            return (ProxyExecutable) arguments -> object.label();
        }
        throw bridge.raise(Members.unknown(api, object.label(), key));
    }

    private <T> Object call(T self, Api.Operation<T> operation, Value... arguments) {
        var call = new Call(bridge, operation, object.label() + "." + operation.name());
        Arguments bound = call.bind(List.of(arguments));
        if (bridge.records(() -> operation.body().apply(self, bound))) {
            return bridge.toJs(Nothing.NOTHING);
        }
        return bridge.toJs(operation.body().apply(self, bound));
    }

    private <T> Object element(T self, Members.Numbered<T> numbered) {
        if (numbered.list().getter().apply(self) instanceof List<?> list) {
            if (numbered.index() < list.size()) {
                return bridge.toJs(list.get(numbered.index()));
            }
            throw bridge.raise(Refusal.of(
                    "E0201",
                    object.label() + " has " + list.size() + " "
                            + numbered.list().name(),
                    "number " + numbered.index() + " is not there"));
        }
        throw new IllegalStateException(numbered.list().name() + " is no list");
    }

    /** What stands in the brackets: JavaScript hands over every key as text. */
    private static Optional<Object> place(String key) {
        if (Quantity.ofText(key) instanceof Quantity.Result.Ok(long address)) {
            return Optional.of(address);
        }
        return Quantity.rangeOfText(key).map(Range.class::cast);
    }

    @Override
    public void putMember(String key, Value value) {
        assign(object.api(), key, value);
    }

    private <T> void assign(Api<T> api, String key, Value value) {
        Optional<Api.Property<T>> property = Members.property(api, key);
        if (property.isEmpty()) {
            throw bridge.raise(Members.unknown(api, object.label(), key));
        }
        if (property.get().setter().isEmpty()) {
            throw bridge.raise(Refusal.of("E0206", object.label() + "." + key + " cannot be assigned", "read only"));
        }
        Object given = bridge.toMachine(value);
        if (given instanceof String text
                && property.get().type().equals("u64")
                && Quantity.ofText(text) instanceof Quantity.Result.Ok(long quantity)) {
            given = quantity;
        }
        Object settled = Assignment.settled(object.label(), property.get(), given);
        if (settled instanceof Refusal refusal) {
            throw bridge.raise(refusal);
        }
        T self = api.type().cast(object);
        if (bridge.records(() -> property.get().setter().get().apply(self, settled))) {
            return;
        }
        Object result = property.get().setter().get().apply(self, settled);
        if (result instanceof Outcome.Failed failed) {
            throw bridge.raise(Refusal.of("E0206", object.label() + "." + key + ": " + failed.name(), failed.reason()));
        }
    }

    @Override
    public Object getMemberKeys() {
        return ProxyArray.fromList(new ArrayList<>(Members.names(object.api())));
    }

    /** True for unknown names too, so that {@link #getMember} can say what is wrong with them. */
    @Override
    public boolean hasMember(String key) {
        return !PROBED.contains(key) || Members.names(object.api()).contains(key);
    }

    @Override
    public String toString() {
        return Values.show(object);
    }
}
