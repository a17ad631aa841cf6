package kvasir.kvm.semantics;

import kvasir.kvm.Errno;
import kvasir.kvm.KernelVersion;

/** KVM_PRE_FAULT_MEMORY in 6.18: a slot being deleted or moved answers EAGAIN. */
final class V6_18 extends Semantics {
    V6_18() {
        super(
                "v6.18",
                new KernelVersion(6, 18),
                new Policies(
                        Policies.WhoAdds.SINGLE_PASS,
                        Policies.Progress.SUCCESS_ON_PARTIAL,
                        Policies.Retry.KERNEL,
                        Policies.InvalidSlot.EAGAIN,
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
        return "Linux 6.18: a slot being deleted or moved answers EAGAIN";
    }
}
