package kvasir.vmm;

import java.util.Optional;
import kvasir.event.Topic;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.registry.State;

/**
 * What an index gives where there is no more to it than its state: {@code vm.attributes[0x1000]}.
 *
 * @param label how messages call it
 * @param topic what it is about
 * @param value its state
 */
record Cell(String label, Topic topic, State value) implements Described {
    static final Api<Cell> API = Api.of("cell", Cell.class, "The state of one address or range.")
            .property("name", "string", "The state's name.", "show plain.attributes[0].name", c -> c.value.name())
            .build();

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public Optional<State> state() {
        return Optional.of(value);
    }

    @Override
    public Optional<String> picture() {
        return Optional.of(value.name());
    }
}
