package kvasir.kvm.semantics;

import kvasir.kvm.Errno;
import kvasir.kvm.KernelVersion;

/** KVM_PRE_FAULT_MEMORY in 6.19, with the TDX overhaul: pages are added while the mirror is populated. */
final class V6_19 extends Semantics {
    V6_19() {
        super(
                "v6.19",
                new KernelVersion(6, 19),
                new Policies(
                        Policies.WhoAdds.ADD_IN_SET,
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
        return "Linux 6.19: pages are added while the mirror is populated, under all the locks";
    }
}
