package kvasir.metal.tdx;

import kvasir.event.Event;
import kvasir.event.Topic;

/**
 * A measurement register took something in.
 *
 * @param td label of the TD
 * @param record what, and the digest after it
 */
public record MeasurementExtended(String td, Ledger.Entry record) implements Event {
    @Override
    public Topic topic() {
        return Topic.of(td + "." + (record.register().equals("MRTD") ? "mrtd" : "rtmr"), 0, 1);
    }

    @Override
    public String describe() {
        return "measure %s %s #%d %s gpa=0x%x -> %s"
                .formatted(
                        td,
                        record.register(),
                        record.number(),
                        record.leaf(),
                        record.gpa(),
                        record.digest().hex());
    }
}
