package kvasir.kvm.invariant;

import java.util.HashMap;
import java.util.Optional;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.snp.Vmsa;

/** No two pages of one ASID are validated for the same GPA, unless the guest validated twice itself. */
final class GpaValidatedOnce extends SnpInvariant {
    @Override
    public String name() {
        return "gpa_validated_once";
    }

    @Override
    public String statement() {
        return "No two pages are validated for the same GPA of one ASID; else the guest validated twice:";
    }

    @Override
    Optional<String> violation(SnpVm snp) {
        var seen = new HashMap<Long, Long>();
        return firstEntry(snp.host().rmp(), (spa, entry) -> {
            if (!entry.validated() || entry.gpa() == Vmsa.INITIAL_GPA || entry.gpa() == VMSA_GPA_IN_TABLE) {
                return Optional.empty();
            }
            Long other = seen.put((long) entry.asid() << 52 | entry.gpa(), spa);
            return other == null ? Optional.empty() : Optional.of("as is rmp[0x%x]".formatted(other));
        });
    }

    private static final long VMSA_GPA_IN_TABLE = Vmsa.INITIAL_GPA & 0x7_ffff_ffff_f000L;
}
