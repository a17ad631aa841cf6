package kvasir.registry;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The arguments of one call, by parameter name. The binding has checked kinds and presence against the
 * {@link Api.Parameter}s, so a getter that finds something else is a bug of ours.
 */
public final class Arguments {
    private final Map<String, ?> values;

    /** @param values argument values by parameter name; an absent optional parameter has no key */
    public Arguments(Map<String, ?> values) {
        this.values = values;
    }

    /** These arguments and one more. */
    public Arguments with(String name, Object value) {
        var more = new LinkedHashMap<String, Object>(values);
        more.put(name, value);
        return new Arguments(more);
    }

    /** Whether the optional parameter was given. */
    public boolean has(String name) {
        return values.containsKey(name);
    }

    /** A required integer. */
    public long u64(String name) {
        return get(name, Long.class);
    }

    /** An optional integer. */
    public long u64(String name, long otherwise) {
        return optional(name, Long.class).orElse(otherwise);
    }

    /** A required range. */
    public Range range(String name) {
        return get(name, Range.class);
    }

    /** A flag; absent means false. */
    public boolean flag(String name) {
        return optional(name, Boolean.class).orElse(false);
    }

    /** A required string or word. */
    public String string(String name) {
        return get(name, String.class);
    }

    /** A required byte string. */
    public Bytes bytes(String name) {
        return get(name, Bytes.class);
    }

    /** A required argument of class {@code type}. */
    public <V> V get(String name, Class<V> type) {
        return optional(name, type).orElseThrow(() -> new IllegalStateException("argument '" + name + "' is missing"));
    }

    /** An optional argument of class {@code type}. */
    public <V> Optional<V> optional(String name, Class<V> type) {
        return Optional.ofNullable(values.get(name)).map(type::cast);
    }
}
