package kvasir.scripts.nodes;

import com.oracle.truffle.api.exception.AbstractTruffleException;
import com.oracle.truffle.api.nodes.Node;
import java.util.ArrayList;
import kvasir.grammar.Span;
import org.jspecify.annotations.Nullable;

/** Carries a {@link Fault} from the node that found it to the runner. */
public final class ScriptException extends AbstractTruffleException {
    private static final long serialVersionUID = 1;
    private static final int CALLS_SHOWN = 8;
    private final transient Fault fault;

    ScriptException(Fault fault, @Nullable Node location) {
        super(fault.diagnostic().message(), location);
        this.fault = fault;
    }

    /** That something outside of KVS, called by {@code location}, ended with {@code fault}. */
    public static ScriptException of(Fault fault, Node location) {
        return new ScriptException(fault, location);
    }

    /** This exception with the place where the function that failed was called. */
    ScriptException calledFrom(Span span) {
        var notes = new ArrayList<>(fault.notes());
        long calls =
                notes.stream().filter(note -> note.startsWith("called from: ")).count();
        if (calls < CALLS_SHOWN) {
            notes.add("called from: " + span);
        } else if (calls == CALLS_SHOWN) {
            notes.add("called from: more places");
        }
        return new ScriptException(new Fault(fault.kind(), fault.diagnostic(), notes), getLocation());
    }

    /** What happened. */
    public Fault fault() {
        return fault;
    }
}
