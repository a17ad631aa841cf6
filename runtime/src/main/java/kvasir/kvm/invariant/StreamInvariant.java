package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.event.Event;

/** One sentence about what happens, told from the stream of events; an instance watches one machine from its beginning. */
interface StreamInvariant {
    /** One word for messages: {@code leaf_keeps_pfn}. */
    String name();

    /** The sentence. */
    String statement();

    /** What breaks it with {@code event}, if anything does. */
    Optional<String> violation(Event event);

    /** The machine was restored to an earlier moment: what was remembered of the events since then is not its past. */
    default void forget() {}
}
