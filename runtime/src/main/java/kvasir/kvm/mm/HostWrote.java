package kvasir.kvm.mm;

import kvasir.event.Event;
import kvasir.event.Topic;

/**
 * The host wrote memory that a guest may have, on a processor with a reverse map.
 *
 * @param hpa of the first byte
 * @param bytes how many, within one page
 * @param by the kernel function or the part of the VMM that wrote
 */
public record HostWrote(long hpa, int bytes, String by) implements Event {
    @Override
    public Topic topic() {
        return Topic.of("rmp", hpa & -4096L, 4096);
    }

    @Override
    public String describe() {
        return "%s writes hpa 0x%x, %d bytes".formatted(by, hpa, bytes);
    }
}
