package kvasir.kvm.invariant;

import java.util.Optional;
import java.util.Set;
import kvasir.event.Event;
import kvasir.metal.snp.RmpChanged;

/** Validated comes from the guest or from its launch, or comes back with a page that firmware moves; never from the host. */
final class ValidatedByItsGuest implements StreamInvariant {
    private static final Set<String> CAUSES =
            Set.of("PVALIDATE", "SNP_LAUNCH_UPDATE", "SNP_PAGE_SWAP_IN", "SNP_PAGE_MOVE");

    @Override
    public String name() {
        return "validated_by_its_guest";
    }

    @Override
    public String statement() {
        return "A page becomes Validated by PVALIDATE at VMPL0 or by SNP_LAUNCH_UPDATE, or firmware moves it; never by the host:";
    }

    @Override
    public Optional<String> violation(Event event) {
        return event instanceof RmpChanged change
                        && change.after().validated()
                        && !change.before().validated()
                        && !CAUSES.contains(change.cause())
                ? Optional.of(change.describe())
                : Optional.empty();
    }
}
