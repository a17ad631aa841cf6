package kvasir.registry;

import java.util.Optional;
import kvasir.event.Topic;

/** An object that scripts can hold. */
public interface Described {
    /** What scripts may do with it. */
    Api<?> api();

    /** How it is called in messages: {@code td.vcpu0}, {@code plain.ept[0x1000]}. */
    String label();

    /** What it is about in the event stream, so that a failed assertion can tell the last event that touched it. */
    default Topic topic() {
        return Topic.none();
    }

    /** The state that {@code is} compares with, if it has one. */
    default Optional<State> state() {
        return Optional.empty();
    }

    /** The picture that {@code show} prints and {@code shows} compares with, if it has one: lines without a last newline. */
    default Optional<String> picture() {
        return Optional.empty();
    }
}
