package kvasir.kvm.mmu;

import kvasir.event.Event;
import kvasir.event.Topic;

/** What happens to second-stage page tables. */
public sealed interface MmuEvent extends Event {
    /**
     * An SPTE got another value.
     *
     * @param space the tree: {@code td.ept}
     * @param gfn first gfn the entry covers
     * @param level level of the table that holds the entry
     */
    record SpteChanged(String space, long gfn, int level, long oldSpte, long newSpte) implements MmuEvent {
        @Override
        public Topic topic() {
            return Topic.of(space, gfn << 12, Level.bytes(level));
        }

        @Override
        public String describe() {
            return "spte %s[0x%x] %s 0x%016x -> 0x%016x"
                    .formatted(space, gfn << 12, Level.name(level), oldSpte, newSpte);
        }
    }

    /**
     * A root was made, invalidated or freed.
     *
     * @param what {@code allocated}, {@code invalidated}, {@code freed}
     */
    record RootChanged(String space, long hpa, PageRole role, String what) implements MmuEvent {
        @Override
        public Topic topic() {
            return new Topic(space, 0, 0);
        }

        @Override
        public String describe() {
            return "root %s 0x%x %s (role %s)".formatted(space, hpa, what, role);
        }
    }

    /**
     * A fault was handled, or a page pre-faulted.
     *
     * @param gpa without direct bits
     * @param errorCode PFERR_* bits
     * @param result RET_PF_* or errno by name
     */
    record Faulted(String space, long gpa, long errorCode, boolean prefetch, int level, String result)
            implements MmuEvent {
        @Override
        public Topic topic() {
            return Topic.of(space, gpa & -4096L, 4096);
        }

        @Override
        public String describe() {
            return "%s %s[0x%x] error 0x%x -> %s (goal %s)"
                    .formatted(prefetch ? "prefetch" : "fault", space, gpa, errorCode, result, Level.name(level));
        }
    }
}
