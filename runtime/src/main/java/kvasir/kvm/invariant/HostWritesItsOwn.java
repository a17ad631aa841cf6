package kvasir.kvm.invariant;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import kvasir.event.Event;
import kvasir.kvm.Vm;
import kvasir.kvm.mm.HostWrote;
import kvasir.metal.snp.RmpEntry;

/** The host's half of what the RMP check lets through: kernel, VMM and devices. */
final class HostWritesItsOwn implements StreamInvariant {
    private final Supplier<List<Vm>> vms;

    HostWritesItsOwn(Supplier<List<Vm>> vms) {
        this.vms = vms;
    }

    @Override
    public String name() {
        return "host_writes_its_own";
    }

    @Override
    public String statement() {
        return "No write of the host succeeds to a page that the reverse map assigns to a guest or to firmware:";
    }

    @Override
    public Optional<String> violation(Event event) {
        if (!(event instanceof HostWrote write)) {
            return Optional.empty();
        }
        return EncryptedAccessIsTheOwners.rmp(vms)
                .filter(rmp -> rmp.covered(write.hpa()))
                .map(rmp -> rmp.entry(write.hpa()))
                .filter(RmpEntry::assigned)
                .map(entry ->
                        "%s, but rmp[0x%x] is %s".formatted(write.describe(), write.hpa() & -4096L, entry.describe()));
    }
}
