package kvasir.scripts.nodes;

import com.oracle.truffle.api.CallTarget;
import org.jspecify.annotations.Nullable;

/** A function by name; filled when its body is translated, so that functions may call each other. */
public final class FunctionSlot {
    /** The number of parameters of a function that takes as many as it is given. */
    public static final int ANY = -1;

    private final String name;
    private final int parameters;
    private @Nullable CallTarget target;

    /** A function of which only the head is known. */
    public FunctionSlot(String name, int parameters) {
        this.name = name;
        this.parameters = parameters;
    }

    /** Its name. */
    public String name() {
        return name;
    }

    /** How many arguments it takes; may be {@link #ANY}. */
    public int parameters() {
        return parameters;
    }

    /** Gives it its body. */
    public void define(CallTarget body) {
        target = body;
    }

    CallTarget target() {
        if (target == null) {
            throw new IllegalStateException("function " + name + " has no body");
        }
        return target;
    }
}
