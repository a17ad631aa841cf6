package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.Tdcs;

/** A page that the module has is nobody else's. */
final class PrivatePageIsHeld extends SeptInvariant {
    @Override
    public String name() {
        return "private_page_is_held";
    }

    @Override
    public String statement() {
        return "the host's allocator has no page that is behind an S-EPT entry:";
    }

    @Override
    Optional<String> judge(TdxVm td, Tdcs tdcs, long gpa, int level, long raw) {
        return td.vm().kvm().pages().isFree(SeptEntry.hpa(raw) >>> 12)
                ? Optional.of("%s.sept[0x%x] is %s of 0x%x, which is free"
                        .formatted(td.vm().name(), gpa, SeptEntry.state(raw), SeptEntry.hpa(raw)))
                : Optional.empty();
    }
}
