package kvasir.kvm;

import kvasir.event.Event;
import kvasir.event.Topic;

/**
 * One step of the protocol that publishes memory slots (kvm_main.c, kvm_set_memslot, kvm_swap_active_memslots).
 *
 * @param vm name of the VM
 * @param step which
 * @param slot the slot concerned
 * @param generation generation of the published set after the step
 */
public record MemslotEvent(String vm, Step step, Memslot slot, long generation) implements Event {
    /** The steps. */
    public enum Step {
        INVALID_COPY("build INVALID copy of"),
        PUBLISH("publish slots with"),
        GRACE_PERIOD("SRCU grace period over for"),
        GENERATION("generation raised for"),
        ZAP("zapped mappings of"),
        COMMIT("committed"),
        UNDO("prepare failed, original re-published:"),
        FREE("freed");

        private final String words;

        Step(String words) {
            this.words = words;
        }
    }

    @Override
    public Topic topic() {
        return new Topic(vm + ".slots", slot.baseGfn() << 12, slot.endGfn() << 12);
    }

    @Override
    public String describe() {
        return "%s: %s %s gpa 0x%x..0x%x%s, generation %d%s"
                .formatted(
                        vm,
                        step.words,
                        slot,
                        slot.baseGfn() << 12,
                        slot.endGfn() << 12,
                        slot.invalid() ? " INVALID" : "",
                        generation & ~Memslots.UPDATE_IN_PROGRESS,
                        generation < 0 ? " in flux" : "");
    }
}
