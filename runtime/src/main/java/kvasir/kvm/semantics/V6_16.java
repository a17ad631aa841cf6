package kvasir.kvm.semantics;

import kvasir.kvm.Errno;
import kvasir.kvm.KernelVersion;

/** KVM_PRE_FAULT_MEMORY in 6.16, the release with TDX. */
final class V6_16 extends Semantics {
    V6_16() {
        super(
                "v6.16",
                new KernelVersion(6, 16),
                new Policies(
                        Policies.WhoAdds.SINGLE_PASS,
                        Policies.Progress.SUCCESS_ON_PARTIAL,
                        Policies.Retry.KERNEL,
                        Policies.InvalidSlot.SPIN,
                        true,
                        true,
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
        return "Linux 6.16: reloads obsolete roots, takes only leaves for spurious; still spins on a slot being deleted";
    }
}
