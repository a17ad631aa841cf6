package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.event.Event;
import kvasir.metal.snp.RmpChanged;

/** Validated comes from the guest or from its launch, never from the host. */
final class ValidatedByItsGuest implements StreamInvariant {
    @Override
    public String name() {
        return "validated_by_its_guest";
    }

    @Override
    public String statement() {
        return "A page becomes Validated by PVALIDATE at VMPL0 or by SNP_LAUNCH_UPDATE, never by the host:";
    }

    @Override
    public Optional<String> violation(Event event) {
        return event instanceof RmpChanged change
                        && change.after().validated()
                        && !change.before().validated()
                        && !change.cause().equals("PVALIDATE")
                        && !change.cause().equals("SNP_LAUNCH_UPDATE")
                ? Optional.of(change.describe())
                : Optional.empty();
    }
}
