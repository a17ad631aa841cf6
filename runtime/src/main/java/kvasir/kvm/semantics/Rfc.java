package kvasir.kvm.semantics;

import kvasir.kvm.Errno;
import kvasir.kvm.KernelVersion;

/** KVM_MAP_MEMORY as first proposed: "[RFC PATCH 0/8] KVM: Prepopulate guest memory API", 1 March 2024. */
final class Rfc extends Semantics {
    Rfc() {
        super(
                "rfc",
                new KernelVersion(6, 8),
                new Policies(
                        Policies.WhoAdds.HOOK_WITH_SOURCE,
                        Policies.Progress.EAGAIN_ON_PARTIAL,
                        Policies.Retry.USER,
                        Policies.InvalidSlot.SPIN,
                        false,
                        false,
                        Policies.BeforeFinalise.ALLOWED,
                        Errno.EIO,
                        Policies.Units.GFN,
                        Policies.MaxLevel.CLAMPED,
                        Policies.Arithmetic.MIN,
                        true,
                        Policies.Flags.ACCESS,
                        Policies.GmemFault.UNLOCKED));
    }

    @Override
    public String doc() {
        return "RFC v1 of March 2024: KVM_MAP_MEMORY with gfn, pages, access flags and a source page";
    }
}
