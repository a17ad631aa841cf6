package kvasir.vmm;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import kvasir.event.Topic;
import kvasir.kvm.Vm;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.registry.Range;
import kvasir.registry.State;

/** {@code vm.attributes}. */
final class AttributesView implements Described {
    static final Api<AttributesView> API = Api.of(
                    "attributes", AttributesView.class, "Memory attributes of a VM: which gpas are private.")
            .property(
                    "private_bytes",
                    "u64",
                    "How much is private.",
                    "show td.attributes.private_bytes",
                    a -> a.vm.attributes().runs().stream()
                                    .mapToLong(r -> r.end() - r.start())
                                    .sum()
                            << 12)
            .index(
                    "PRIVATE or SHARED; of a range that is neither, MIXED.",
                    "assert td.attributes[0 .. 2M] is PRIVATE",
                    (a, key) -> key instanceof Range range
                            ? a.range(range)
                            : a.range(new Range((Long) key, (Long) key + 1)))
            .build();

    private final Vm vm;

    AttributesView(VmHandle handle) {
        vm = handle.vm();
    }

    private Described range(Range range) {
        long start = range.start() >>> 12;
        long end = (range.end() + 4095) >>> 12;
        String name = vm.attributes().uniform(start, end, true)
                ? "PRIVATE"
                : vm.attributes().uniform(start, end, false) ? "SHARED" : "MIXED";
        return new Cell(
                "%s[0x%x]".formatted(label(), range.start()),
                new Topic(label(), range.start(), range.end()),
                new State(name, List.of(), Map.of()));
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return vm.name() + ".attributes";
    }

    @Override
    public Optional<String> picture() {
        return Optional.of(vm.attributes().runs().stream()
                .map(run -> Text.range(run.start() << 12, run.end() << 12) + "  private")
                .collect(Collectors.joining("\n")));
    }
}
