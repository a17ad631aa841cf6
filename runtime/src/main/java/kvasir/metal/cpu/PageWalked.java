package kvasir.metal.cpu;

import java.util.Locale;
import kvasir.event.Event;
import kvasir.event.Topic;
import kvasir.metal.paging.Access;

/**
 * Both stages of translation were walked, because the TLB had no entry, and allowed the access.
 *
 * @param apicId which processor
 * @param linear guest-linear address
 * @param gpa guest-physical address
 * @param hpa host-physical address
 * @param encrypted the effective C-bit of a guest with memory encryption; false for any other
 * @param access what for
 */
public record PageWalked(int apicId, long linear, long gpa, long hpa, boolean encrypted, Access access)
        implements Event {
    @Override
    public Topic topic() {
        return Topic.of("cpu" + apicId + ".linear", linear & -4096L, 4096);
    }

    @Override
    public String describe() {
        return "cpu" + apicId + " walk " + access.name().toLowerCase(Locale.ROOT) + " 0x" + Long.toHexString(linear)
                + " -> gpa 0x" + Long.toHexString(gpa) + " -> hpa 0x" + Long.toHexString(hpa);
    }
}
