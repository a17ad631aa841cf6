package kvasir.scripts.binding;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.registry.Api;

/** Operations and properties of a declaration, by name. */
public final class Members {
    private Members() {}

    /** The operation called {@code name}, if there is one. */
    public static <T> Optional<Api.Operation<T>> operation(Api<T> api, String name) {
        for (var operation : api.operations()) {
            if (operation.name().equals(name)) {
                return Optional.of(operation);
            }
        }
        return Optional.empty();
    }

    /** The property called {@code name}, if there is one. */
    public static <T> Optional<Api.Property<T>> property(Api<T> api, String name) {
        for (var property : api.properties()) {
            if (property.name().equals(name)) {
                return Optional.of(property);
            }
        }
        return Optional.empty();
    }

    /**
     * One of a list under a name of its own: {@code vcpu0} is {@code vcpus[0]} where a property {@code vcpus} is a
     * list.
     */
    public record Numbered<T>(Api.Property<T> list, int index) {}

    /** What {@code name} stands for if it is a numbered one. */
    public static <T> Optional<Numbered<T>> numbered(Api<T> api, String name) {
        int digits = name.length();
        while (digits > 0 && Character.isDigit(name.charAt(digits - 1))) {
            digits--;
        }
        if (digits == 0 || digits == name.length() || name.length() - digits > 4) {
            return Optional.empty();
        }
        int index = Integer.parseInt(name.substring(digits));
        return property(api, name.substring(0, digits) + "s")
                .filter(list -> list.type().startsWith("list of"))
                .map(list -> new Numbered<>(list, index));
    }

    /** All names, operations first. */
    public static List<String> names(Api<?> api) {
        var names = new ArrayList<String>();
        api.operations().forEach(operation -> names.add(operation.name()));
        api.properties().forEach(property -> names.add(property.name()));
        return names;
    }

    /** That {@code label}, declared by {@code api}, has no member {@code name}. */
    public static Refusal unknown(Api<?> api, String label, String name) {
        return Refusal.of("E0301", label + " has no `" + name + "`", "not in " + Values.article(api.name()))
                .help(Spelling.help(name, names(api)));
    }
}
