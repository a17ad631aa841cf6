package kvasir.scripts.nodes;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.metal.memory.HostMemoryExhausted;
import kvasir.registry.Api;
import kvasir.registry.Arguments;
import kvasir.registry.Described;
import kvasir.scripts.Failure;
import kvasir.scripts.binding.Members;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Values;
import kvasir.scripts.guest.GuestCode;

/** The step from a script into the machine, where an exception becomes a bug of ours. */
public final class Invocation {
    private Invocation() {}

    /** What the operation gives. */
    static Object call(KvsNode node, Described target, Api.Operation<?> operation, Map<String, ?> values) {
        try {
            return apply(operation, target, new Arguments(values));
        } catch (GuestCode.Unplaceable unplaceable) {
            throw node.refused(Refusal.of(
                    "E0413", "the guest program does not fit this address", String.valueOf(unplaceable.getMessage())));
        } catch (RuntimeException | StackOverflowError bug) {
            throw bug(node, target.label() + "." + operation.name(), bug);
        }
    }

    @SuppressWarnings("unchecked")
    private static <T> Object apply(Api.Operation<T> operation, Described target, Arguments arguments) {
        return operation.body().apply((T) target, arguments);
    }

    /** The property or numbered member called {@code name}; a {@link Refusal} if its number is too high. */
    public static Optional<Object> read(Described target, String name) {
        return read(target, target.api(), name);
    }

    @SuppressWarnings("unchecked")
    private static <T> Optional<Object> read(Described target, Api<T> api, String name) {
        var property = Members.property(api, name);
        if (property.isPresent()) {
            return Optional.of(property.get().getter().apply((T) target));
        }
        return Members.numbered(api, name).map(numbered -> {
            List<?> list = (List<?>) numbered.list().getter().apply((T) target);
            return numbered.index() < list.size()
                    ? list.get(numbered.index())
                    : Refusal.of(
                            "E0406",
                            target.label() + " has no `" + name + "`",
                            "it has " + count(list.size(), numbered.list().name()));
        });
    }

    private static String count(int size, String plural) {
        return size + " " + (size == 1 ? plural.substring(0, plural.length() - 1) : plural);
    }

    /** {@code target[key]}; empty if it has no entries. */
    static Optional<Object> index(KvsNode node, Described target, Object key) {
        try {
            return index(target, target.api(), key);
        } catch (RuntimeException | StackOverflowError bug) {
            throw bug(node, target.label() + "[" + Values.show(key) + "]", bug);
        }
    }

    @SuppressWarnings("unchecked")
    private static <T> Optional<Object> index(Described target, Api<T> api, Object key) {
        return api.index().map(index -> index.body().apply((T) target, key));
    }

    /** That {@code what} ran into {@code bug}. */
    static RuntimeException bug(KvsNode node, String what, Throwable bug) {
        if (bug instanceof ScriptException already) {
            return already;
        }
        if (bug instanceof HostMemoryExhausted exhausted) {
            return node.fault(
                    Failure.Kind.MACHINE,
                    "E0507",
                    "out of memory",
                    exhausted.said(),
                    Optional.of(exhausted.help()),
                    List.of());
        }
        StackTraceElement[] stack = bug.getStackTrace();
        String where = stack.length == 0 ? "an unknown place" : stack[0].toString();
        return node.fault(
                Failure.Kind.BUG,
                "E0600",
                "this is a bug in Kvasir",
                what + " threw " + bug,
                Optional.of("please report it with this script"),
                List.of("at: " + where));
    }
}
