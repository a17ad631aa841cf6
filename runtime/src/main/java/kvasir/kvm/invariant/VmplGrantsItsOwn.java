package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.event.Event;
import kvasir.metal.snp.GuestInstructions;
import kvasir.metal.snp.RmpChanged;

/** What a VMPL gives away it has itself. */
final class VmplGrantsItsOwn implements StreamInvariant {
    @Override
    public String name() {
        return "vmpl_grants_its_own";
    }

    @Override
    public String statement() {
        return "RMPADJUST gives a less privileged VMPL at most the permissions that the granter has, and changes no other's:";
    }

    @Override
    public Optional<String> violation(Event event) {
        if (!(event instanceof RmpChanged change)) {
            return Optional.empty();
        }
        int granter = GuestInstructions.granter(change.cause());
        for (int vmpl = 0; granter >= 0 && vmpl < GuestInstructions.VMPLS; vmpl++) {
            int before = change.before().permissions(vmpl);
            int after = change.after().permissions(vmpl);
            boolean more = (after & ~before & ~change.before().permissions(granter)) != 0;
            if (before != after && (vmpl <= granter || more)) {
                return Optional.of("VMPL%d: %s".formatted(vmpl, change.describe()));
            }
        }
        return Optional.empty();
    }
}
