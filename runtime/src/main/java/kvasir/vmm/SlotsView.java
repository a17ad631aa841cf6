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
    /** From so many slots on that continue each other, their picture is one line. */
    private static final int MANY_ALIKE = 8;

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
        List<Memslot> slots = vm.allSlots();
        var lines = new ArrayList<String>();
        for (int i = 0; i < slots.size(); ) {
            int next = i + 1;
            while (next < slots.size() && continues(slots.get(next - 1), slots.get(next))) {
                next++;
            }
            if (next - i >= MANY_ALIKE) {
                lines.add(run(slots.get(i), slots.get(next - 1)));
            } else {
                slots.subList(i, next).forEach(slot -> lines.add(SlotHandle.line(slot)));
            }
            i = next;
        }
        return Optional.of(String.join("\n", lines));
    }

    /** Whether a slot goes on in every respect where the one before it ends. */
    private static boolean continues(Memslot before, Memslot slot) {
        return slot.addressSpace() == before.addressSpace()
                && slot.id() == before.id() + 1
                && slot.npages() == before.npages()
                && slot.baseGfn() == before.endGfn()
                && slot.userspaceAddr() == before.userspaceAddr() + (before.npages() << 12)
                && slot.flags() == before.flags()
                && !slot.hasGmem();
    }

    private static String run(Memslot first, Memslot last) {
        return "slot%d..slot%d%s  %s  %s each  hva 0x%x%s%s"
                .formatted(
                        first.id(),
                        last.id(),
                        first.addressSpace() == 0 ? "" : " smm",
                        Text.range(first.baseGfn() << 12, last.endGfn() << 12),
                        Text.size(first.npages() << 12),
                        first.userspaceAddr(),
                        first.readonly() ? "  readonly" : "",
                        first.logsDirty() ? "  log_dirty" : "");
    }
}
