package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.snp.RmpEntry;

/** Sheet of RMP states: what Validated, VMSA and an unassigned entry imply. */
final class RmpFieldsAgree extends RmpInvariant {
    @Override
    public String name() {
        return "rmp_fields_agree";
    }

    @Override
    public String statement() {
        return "Validated means assigned to an ASID; an entry that is not assigned has no owner and no attribute:";
    }

    @Override
    Optional<String> judge(SnpVm snp, long spa, RmpEntry entry) {
        if (entry.validated() && (!entry.assigned() || entry.asid() == 0)) {
            return Optional.of("is validated without an owner");
        }
        boolean bare = entry.asid() == 0 && !entry.validated() && !entry.vmsa();
        return entry.assigned() || bare ? Optional.empty() : Optional.of("is not assigned, but has an owner");
    }
}
