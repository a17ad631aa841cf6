package kvasir.vmm;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import kvasir.event.Topic;
import kvasir.kvm.ExitCounters;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.registry.Outcome;

/** {@code vcpu.exits}. */
final class ExitsHandle implements Described {
    static final Api<ExitsHandle> API = declare();

    private final String owner;
    private final ExitCounters exits;

    ExitsHandle(String owner, ExitCounters exits) {
        this.owner = owner;
        this.exits = exits;
    }

    private static Api<ExitsHandle> declare() {
        Api.Builder<ExitsHandle> api = Api.of(
                        "exits",
                        ExitsHandle.class,
                        "How often a vCPU left the guest, by cause; exits that KVM handles itself count too.")
                .property("total", "u64", "All of them.", "show plain.vcpu0.exits.total", e -> e.exits.total())
                .property(
                        "stage2",
                        "u64",
                        "Faults of the second stage: EPT violations on Intel, nested page faults on AMD.",
                        "assert plain.vcpu0.exits.stage2 == 0",
                        e -> e.exits.get(ExitCounters.Cause.EPT_VIOLATION) + e.exits.get(ExitCounters.Cause.NPF))
                .operation("reset", List.of(), "All counts become 0.", "plain.vcpu0.exits.reset", (e, _) -> {
                    e.exits.reset();
                    return Outcome.ok();
                });
        for (ExitCounters.Cause cause : ExitCounters.Cause.values()) {
            api = api.property(
                    cause.word(),
                    "u64",
                    "Exits of this cause.",
                    "show plain.vcpu0.exits." + cause.word(),
                    e -> e.exits.get(cause));
        }
        return api.build();
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return owner + ".exits";
    }

    @Override
    public Topic topic() {
        return Topic.of(owner, 0, 1);
    }

    @Override
    public Optional<String> picture() {
        var lines = new LinkedHashMap<String, Long>();
        exits.nonZero().forEach((cause, count) -> lines.put(cause.word(), count));
        return Optional.of(Text.table(lines));
    }
}
