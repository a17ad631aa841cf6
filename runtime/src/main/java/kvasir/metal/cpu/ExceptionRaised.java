package kvasir.metal.cpu;

import kvasir.event.Event;
import kvasir.event.Topic;

/**
 * A guest exception is being delivered.
 *
 * @param apicId which processor
 * @param vector exception vector
 * @param errorCode error code, 0 if the vector has none
 * @param rip of the instruction
 * @param cr2 faulting address, meaningful for vector 14
 */
public record ExceptionRaised(int apicId, int vector, int errorCode, long rip, long cr2) implements Event {
    @Override
    public Topic topic() {
        return Topic.none();
    }

    @Override
    public String describe() {
        String at = " at rip 0x" + Long.toHexString(rip);
        return "cpu" + apicId + " exception " + vector + " error 0x" + Integer.toHexString(errorCode) + at
                + (vector == Vector.PF ? " cr2 0x" + Long.toHexString(cr2) : "");
    }
}
