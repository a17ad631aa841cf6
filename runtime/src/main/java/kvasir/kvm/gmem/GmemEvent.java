package kvasir.kvm.gmem;

import kvasir.event.Event;
import kvasir.event.Topic;

/** What happens to a guest_memfd. */
public sealed interface GmemEvent extends Event {
    /** A page was allocated for {@code index}. */
    record Allocated(String vm, int fd, long index, long pfn) implements GmemEvent {
        @Override
        public Topic topic() {
            return Topic.of(vm + ".gmem", index << 12, 4096);
        }

        @Override
        public String describe() {
            return "%s.gmem fd %d allocates offset 0x%x, pfn 0x%x".formatted(vm, fd, index << 12, pfn);
        }
    }

    /** Pages of {@code [start, end)} were given back. */
    record Freed(String vm, int fd, long start, long end) implements GmemEvent {
        @Override
        public Topic topic() {
            return new Topic(vm + ".gmem", start << 12, end << 12);
        }

        @Override
        public String describe() {
            return "%s.gmem fd %d frees offsets 0x%x..0x%x".formatted(vm, fd, start << 12, end << 12);
        }
    }
}
