package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.snp.SnpVm;

/** An ASID in the table belongs to a guest that is there. */
final class AsidGoesWithItsGuest extends SnpInvariant {
    @Override
    public String name() {
        return "asid_goes_with_its_guest";
    }

    @Override
    public String statement() {
        return "An entry carries an ASID only while a guest has it, or while guest_memfd still holds its pages:";
    }

    @Override
    Optional<String> violation(SnpVm snp) {
        if (snp.asid() != 0
                || snp.vm().gmems().stream().anyMatch(file -> !file.extents().isEmpty())) {
            return Optional.empty();
        }
        return firstEntry(
                snp.host().rmp(),
                (spa, entry) -> entry.asid() != 0 && !snp.host().asidInUse(entry.asid())
                        ? Optional.of("belongs to no guest")
                        : Optional.empty());
    }
}
