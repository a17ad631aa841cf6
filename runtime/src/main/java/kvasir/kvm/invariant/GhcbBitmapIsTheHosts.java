package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.event.Event;
import kvasir.kvm.snp.GhcbAnswered;

/** The guest sees as valid what the host wrote, and nothing that it wrote itself. */
final class GhcbBitmapIsTheHosts implements StreamInvariant {
    /** RAX. */
    private static final long LOW = 1L << 63;

    /** RCX, RDX, RBX, SW_EXITINFO1 and SW_EXITINFO2 in the second half. */
    private static final long HIGH = 7L << 97 - 64 | 3L << 115 - 64;

    @Override
    public String name() {
        return "ghcb_bitmap_is_the_hosts";
    }

    @Override
    public String statement() {
        return "After a VMGEXIT the valid bitmap of the GHCB has only fields that the host writes:";
    }

    @Override
    public Optional<String> violation(Event event) {
        return event instanceof GhcbAnswered answer
                        && ((answer.validLow() & ~LOW) != 0 || (answer.validHigh() & ~HIGH) != 0)
                ? Optional.of(answer.describe())
                : Optional.empty();
    }
}
