package kvasir.scripts.js;

import java.util.ArrayList;
import java.util.List;
import kvasir.registry.Outcome;
import kvasir.scripts.binding.Values;
import org.graalvm.polyglot.Value;
import org.graalvm.polyglot.proxy.ProxyArray;
import org.graalvm.polyglot.proxy.ProxyExecutable;
import org.graalvm.polyglot.proxy.ProxyObject;

/**
 * An outcome as JavaScript sees it: {@code name}, {@code ok}, {@code reason} and the details. It remembers whether the
 * script looked at it, since a failure must not pass unseen (design decision D3).
 */
final class OutcomeView implements ProxyObject {
    private final Bridge bridge;
    private final Outcome outcome;
    private final String place;
    private boolean read;

    /** @param place {@code file:line} of the call that gave it; empty unless it failed */
    OutcomeView(Bridge bridge, Outcome outcome, String place) {
        this.bridge = bridge;
        this.outcome = outcome;
        this.place = place;
    }

    /** The outcome, which counts as looking at it. */
    Outcome take() {
        read = true;
        return outcome;
    }

    /** The outcome, unseen by the script. */
    Outcome peek() {
        return outcome;
    }

    boolean read() {
        return read;
    }

    String place() {
        return place;
    }

    @Override
    public Object getMember(String key) {
        read = true;
        return switch (key) {
            case "name" -> outcome.name();
            case "ok" -> outcome instanceof Outcome.Ok;
            case "reason" -> outcome instanceof Outcome.Failed failed ? failed.reason() : "";
            case "toString" -> (ProxyExecutable) arguments -> Values.outcome(outcome);
            default -> detail(key);
        };
    }

    private Object detail(String key) {
        Object value = outcome.details().get(key);
        if (value == null) {
            throw new IllegalStateException("asked for a detail that hasMember denies: " + key);
        }
        return bridge.toJs(value);
    }

    @Override
    public Object getMemberKeys() {
        List<Object> keys = new ArrayList<>(List.of("name", "ok", "reason"));
        keys.addAll(outcome.details().keySet());
        return ProxyArray.fromList(keys);
    }

    @Override
    public boolean hasMember(String key) {
        return switch (key) {
            case "name", "ok", "reason", "toString" -> true;
            default -> outcome.details().containsKey(key);
        };
    }

    @Override
    public void putMember(String key, Value value) {
        throw new UnsupportedOperationException("an outcome cannot be changed");
    }
}
