package kvasir.kvm.semantics;

import kvasir.kvm.Errno;
import kvasir.kvm.KernelVersion;

/** KVM_PRE_FAULT_MEMORY as merged in 6.11. */
final class V6_11 extends Semantics {
    V6_11() {
        super(
                "v6.11",
                new KernelVersion(6, 11),
                new Policies(
                        Policies.WhoAdds.HOOK_WITH_SOURCE,
                        Policies.Progress.SUCCESS_ON_PARTIAL,
                        Policies.Retry.KERNEL,
                        Policies.InvalidSlot.SPIN,
                        false,
                        false,
                        Policies.BeforeFinalise.EOPNOTSUPP,
                        Errno.ENOENT,
                        Policies.Units.BYTES,
                        Policies.MaxLevel.FREE,
                        Policies.Arithmetic.MIN,
                        false,
                        Policies.Flags.RESERVED,
                        Policies.GmemFault.UNLOCKED));
    }

    @Override
    public String doc() {
        return "Linux 6.11: KVM_PRE_FAULT_MEMORY; spins on a slot being deleted, and on an obsolete root";
    }
}
