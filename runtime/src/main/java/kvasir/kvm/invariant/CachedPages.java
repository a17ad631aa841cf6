package kvasir.kvm.invariant;

import java.util.Optional;
import java.util.OptionalLong;
import kvasir.kvm.Vcpu;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.Tdcs;
import kvasir.metal.tdx.VcpuState;

/** What the vCPUs of a TD can reach through translations that they have cached. */
final class CachedPages {
    private CachedPages() {}

    /**
     * A vCPU that can use a cached translation to one of {@code pfns}: one that is inside, or that the next TDH.VP.ENTER
     * will not flush because TD_EPOCH has not moved since its last.
     */
    static Optional<String> user(TdxVm td, Tdcs tdcs, long... pfns) {
        for (Vcpu vcpu : td.vm().vcpus()) {
            var state = td.vcpuState(vcpu.id());
            var processor = td.processor(vcpu.id());
            if (state.isEmpty() || processor.isEmpty()) {
                continue;
            }
            boolean current =
                    state.get().state() == VcpuState.VCPU_ACTIVE || state.get().vcpuEpoch() == tdcs.tdEpoch();
            OptionalLong pfn = current ? processor.get().cpu().cachedAmong(pfns) : OptionalLong.empty();
            if (pfn.isPresent()) {
                return Optional.of("%s.vcpu%d has a translation to 0x%x"
                        .formatted(td.vm().name(), vcpu.id(), pfn.getAsLong() << 12));
            }
        }
        return Optional.empty();
    }
}
