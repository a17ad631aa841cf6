package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.event.Event;
import kvasir.kvm.VcpuEvent;

/** I11: nothing goes on for ever. */
final class CallsTerminate implements StreamInvariant {
    @Override
    public String name() {
        return "calls_terminate";
    }

    @Override
    public String statement() {
        return "Every system call ends, if everybody who can run gets to run.";
    }

    @Override
    public Optional<String> violation(Event event) {
        return event instanceof VcpuEvent.Endless endless ? Optional.of(endless.describe()) : Optional.empty();
    }
}
