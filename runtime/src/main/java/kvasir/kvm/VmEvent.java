package kvasir.kvm;

import java.util.Optional;
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

    /**
     * A system call on the VM, a vCPU of it or a file of it was refused.
     *
     * @param check the row of the errno table, where there is a table
     */
    record Refused(String vm, Errno errno, String reason, Optional<Check> check) implements VmEvent {
        @Override
        public Topic topic() {
            return Topic.none();
        }

        @Override
        public String describe() {
            return "%s: %s, %s".formatted(vm, errno, reason);
        }
    }

    /** An ioctl was issued. It is told aside: what it does is in the stream. */
    record Issued(Ioctl ioctl) implements VmEvent {
        @Override
        public Topic topic() {
            return Topic.none();
        }

        @Override
        public String describe() {
            return "ioctl " + ioctl.spelling();
        }
    }

    /** The attributes of gfns {@code [start, end)} were stored. */
    record Attributes(String vm, long start, long end, boolean isPrivate) implements VmEvent {
        @Override
        public Topic topic() {
            return new Topic(vm + ".attributes", start << 12, end << 12);
        }

        @Override
        public String describe() {
            return "set %s.attributes[0x%x..0x%x] %s"
                    .formatted(vm, start << 12, end << 12, isPrivate ? "private" : "shared");
        }
    }

    /** An invalidation of gfns {@code [start, end)} began, or ended. */
    record Invalidation(String vm, long start, long end, boolean begins, long seq) implements VmEvent {
        @Override
        public Topic topic() {
            return new Topic(vm + ".invalidate", start << 12, end << 12);
        }

        @Override
        public String describe() {
            return "%s: mmu_invalidate_%s gpa 0x%x..0x%x, seq %d"
                    .formatted(vm, begins ? "begin" : "end", start << 12, end << 12, seq);
        }
    }

    /** The machine is again what it was at an earlier moment: what was remembered of its past no longer holds. */
    record Restored() implements VmEvent {
        @Override
        public Topic topic() {
            return Topic.of("machine", 0, 1);
        }

        @Override
        public String describe() {
            return "machine restored";
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
