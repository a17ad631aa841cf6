package kvasir.kvm.snp;

import kvasir.event.Event;
import kvasir.event.Topic;

/**
 * The guest is about to go on after a VMGEXIT of the page protocol.
 *
 * @param vcpu name of the vCPU
 * @param gpa of the GHCB
 * @param validLow bits 0 to 63 of the valid bitmap
 * @param validHigh bits 64 to 127
 */
public record GhcbAnswered(String vcpu, long gpa, long validLow, long validHigh) implements Event {
    @Override
    public Topic topic() {
        return Topic.of("ghcb " + vcpu, gpa, 4096);
    }

    @Override
    public String describe() {
        return "%s ghcb 0x%x answered, valid 0x%x 0x%x".formatted(vcpu, gpa, validLow, validHigh);
    }
}
