package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.Vm;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.snp.PageState;

/** Context pages and guests go together. */
final class ContextPageIsOneGuests extends SnpInvariant {
    @Override
    public String name() {
        return "context_page_is_one_guests";
    }

    @Override
    public String statement() {
        return "There are as many Context pages as firmware has contexts, and each guest of KVM has its own:";
    }

    @Override
    Optional<String> violation(SnpVm snp) {
        if (snp.vm().kvmLock().held()) {
            return Optional.empty(); // in the middle of a launch command
        }
        long own = context(snp);
        if (own != 0) {
            if (snp.host().firmware().guestState(own).isEmpty()) {
                return Optional.of("%s has 0x%x, where firmware knows no guest"
                        .formatted(snp.vm().name(), own));
            }
            for (Vm other : snp.vm().kvm().vms()) {
                if (other != snp.vm() && other.vendor() instanceof SnpVm guest && context(guest) == own) {
                    return Optional.of("%s and %s share 0x%x".formatted(snp.vm().name(), other.name(), own));
                }
            }
        }
        return firstEntry(
                snp.host().rmp(),
                (spa, entry) -> entry.pageState() == PageState.CONTEXT
                                && snp.host().firmware().guestState(spa).isEmpty()
                        ? Optional.of("has no guest")
                        : Optional.empty());
    }

    private static long context(SnpVm snp) {
        return snp.asid() == 0 ? 0 : snp.guest().context();
    }
}
