package kvasir.kvm.invariant;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.SeptScan;
import kvasir.metal.tdx.Tdcs;

/** No aliasing of private memory. */
final class SeptPageOnce extends TdInvariant {
    @Override
    public String name() {
        return "sept_page_once";
    }

    @Override
    public String statement() {
        return "a host page is behind at most one S-EPT entry:";
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs) {
        Map<Long, Long> seen = new HashMap<>();
        var twice = new String[1];
        SeptScan.visit(tdcs, (gpa, level, raw) -> {
            Long before = seen.put(SeptEntry.hpa(raw), gpa);
            if (before != null) {
                twice[0] = "hpa 0x%x is behind 0x%x and 0x%x".formatted(SeptEntry.hpa(raw), before, gpa);
            }
        });
        return Optional.ofNullable(twice[0]);
    }
}
