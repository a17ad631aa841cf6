package kvasir.metal.tdx;

import kvasir.event.Event;
import kvasir.event.Topic;

/**
 * An S-EPT entry was written.
 *
 * @param td label of the TD
 * @param gpa first GPA the entry translates
 * @param level of the entry
 * @param before raw entry, without lock bits
 * @param after raw entry, without lock bits
 */
public record SeptChanged(String td, long gpa, int level, long before, long after) implements Event {
    @Override
    public Topic topic() {
        return Topic.of(td + ".sept", gpa, 4096L << 9 * level);
    }

    @Override
    public String describe() {
        return "sept %s.sept[0x%x] level %d %s -> %s 0x%016x"
                .formatted(td, gpa, level, SeptEntry.state(before), SeptEntry.state(after), after);
    }
}
