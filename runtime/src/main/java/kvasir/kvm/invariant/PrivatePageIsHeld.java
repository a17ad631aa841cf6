package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.SeptScan;
import kvasir.metal.tdx.Tdcs;

/** A page that the module has is nobody else's. */
final class PrivatePageIsHeld extends TdInvariant {
    @Override
    public String name() {
        return "private_page_is_held";
    }

    @Override
    public String statement() {
        return "the host's allocator has no page that is behind an S-EPT entry:";
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs) {
        var pages = td.vm().kvm().pages();
        var found = new String[1];
        SeptScan.visit(tdcs, (gpa, level, raw) -> {
            if (pages.isFree(SeptEntry.hpa(raw) >>> 12)) {
                found[0] = "%s.sept[0x%x] is %s of 0x%x, which is free"
                        .formatted(td.vm().name(), gpa, SeptEntry.state(raw), SeptEntry.hpa(raw));
            }
        });
        return Optional.ofNullable(found[0]);
    }
}
