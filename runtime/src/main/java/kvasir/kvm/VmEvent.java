package kvasir.kvm;

import kvasir.event.Event;
import kvasir.event.Topic;

/** What happens to a VM as a whole. */
public sealed interface VmEvent extends Event {
    /** KVM_BUG_ON fired. */
    record Bugged(String vm, String reason) implements VmEvent {
        @Override
        public Topic topic() {
            return Topic.of(vm, 0, 1);
        }

        @Override
        public String describe() {
            return "KVM_BUG_ON " + vm + ": " + reason;
        }
    }

    /** A remote TLB flush of gfns {@code [start, end)} was requested. */
    record TlbFlush(String vm, long start, long end) implements VmEvent {
        @Override
        public Topic topic() {
            return new Topic(vm + ".tlb", start << 12, end << 12);
        }

        @Override
        public String describe() {
            return "flush TLBs of %s gpa 0x%x..0x%x".formatted(vm, start << 12, end << 12);
        }
    }
}
