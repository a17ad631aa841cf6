package kvasir.vmm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.event.Topic;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vm;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.State;

/** {@code vm.slots}. */
final class SlotsView implements Described {
    static final Api<SlotsView> API = Api.of("slots", SlotsView.class, "Memory slots of a VM.")
            .property("count", "u64", "Slots of all address spaces.", "assert plain.slots.count == 1", s ->
                    (long) s.vm.allSlots().size())
            .property(
                    "all",
                    "list of slot",
                    "Slots in order of gpa.",
                    "for s in plain.slots.all { show s }",
                    s -> s.vm.allSlots().stream()
                            .map(slot -> new SlotHandle(s.vm, slot))
                            .toList())
            .index(
                    "The slot with an id; bits 31:16 of the key name the address space.",
                    "assert plain.slots[0] is valid",
                    (s, key) -> key instanceof Long id
                            ? s.slot(id)
                            : new Outcome.Failed("EINVAL", "slots takes an id, not a range", Map.of()))
            .build();

    private final Vm vm;

    SlotsView(VmHandle handle) {
        vm = handle.vm();
    }

    private Described slot(long key) {
        long space = key >>> 16;
        Memslot slot =
                space < vm.type().addressSpaces() ? vm.memslots((int) space).byId((int) key & 0xffff) : Memslot.NONE;
        return slot.exists()
                ? new SlotHandle(vm, slot)
                : new Cell(label() + "[" + key + "]", topic(), new State("absent", List.of(), Map.of()));
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return vm.name() + ".slots";
    }

    @Override
    public Topic topic() {
        return new Topic(label(), 0, 0);
    }

    @Override
    public Optional<String> picture() {
        var lines = new ArrayList<String>();
        for (Memslot slot : vm.allSlots()) {
            lines.add(SlotHandle.line(slot));
        }
        return Optional.of(String.join("\n", lines));
    }
}
