package kvasir.metal.snp.psp;

import kvasir.event.Event;
import kvasir.event.Topic;

/**
 * A page entered a guest's launch digest.
 *
 * @param context address of the guest context
 */
public record Measured(long context, LedgerRecord record) implements Event {
    @Override
    public Topic topic() {
        return Topic.of("snp.digest", context, 4096);
    }

    @Override
    public String describe() {
        return "digest gctx 0x%x record %d %s gpa 0x%x -> %s..."
                .formatted(
                        context,
                        record.number(),
                        record.type(),
                        record.gpa(),
                        record.digest().hex().substring(0, 16));
    }
}
