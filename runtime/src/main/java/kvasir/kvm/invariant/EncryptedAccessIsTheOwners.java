package kvasir.kvm.invariant;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import kvasir.event.Event;
import kvasir.kvm.Vm;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.cpu.PageWalked;
import kvasir.metal.paging.Access;
import kvasir.metal.snp.Rmp;
import kvasir.metal.snp.RmpEntry;
import kvasir.metal.snp.SnpProcessor;

/** What the RMP check lets through, told from the walks that succeeded. */
final class EncryptedAccessIsTheOwners implements StreamInvariant {
    private static final long ENCRYPTED = 1L << SnpProcessor.ENCRYPTION_BIT;

    private final Supplier<List<Vm>> vms;

    EncryptedAccessIsTheOwners(Supplier<List<Vm>> vms) {
        this.vms = vms;
    }

    @Override
    public String name() {
        return "encrypted_access_is_the_owners";
    }

    @Override
    public String statement() {
        return "An access with C=1 reaches only a validated page of that GPA, and a write with C=0 only a page of the host:";
    }

    @Override
    public Optional<String> violation(Event event) {
        if (!(event instanceof PageWalked walk)) {
            return Optional.empty();
        }
        Optional<Rmp> rmp = rmp(vms);
        if (rmp.isEmpty() || !rmp.get().covered(walk.hpa())) {
            return Optional.empty();
        }
        RmpEntry entry = rmp.get().entry(walk.hpa());
        boolean good = walk.encrypted()
                ? entry.assigned()
                        && entry.asid() != 0
                        && entry.validated()
                        && !entry.immutable()
                        && entry.gpa()
                                == (walk.gpa() & ~ENCRYPTED & -entry.size().bytes())
                : walk.access() != Access.WRITE || !entry.assigned();
        return good
                ? Optional.empty()
                : Optional.of(
                        "%s, but rmp[0x%x] is %s".formatted(walk.describe(), walk.hpa() & -4096L, entry.describe()));
    }

    /** The reverse map of the host, once its firmware is initialised. */
    static Optional<Rmp> rmp(Supplier<List<Vm>> vms) {
        for (Vm vm : vms.get()) {
            if (vm.vendor() instanceof SnpVm snp && snp.host().firmware().initialised()) {
                return Optional.of(snp.host().rmp());
            }
        }
        return Optional.empty();
    }
}
