package kvasir.kvm.semantics;

import kvasir.kvm.Errno;
import kvasir.kvm.KernelVersion;

/** KVM_MAP_MEMORY as posted on 10 April 2024: "[PATCH v2 00/10] KVM: Guest Memory Pre-Population API", with the underflow of its loop. */
final class RfcV2 extends Semantics {
    RfcV2() {
        super(
                "rfc-v2",
                new KernelVersion(6, 9),
                new Policies(
                        Policies.WhoAdds.MIRROR_FIRST,
                        Policies.Progress.EAGAIN_ON_PARTIAL,
                        Policies.Retry.USER,
                        Policies.InvalidSlot.SPIN,
                        false,
                        false,
                        Policies.BeforeFinalise.ALLOWED,
                        Errno.EFAULT,
                        Policies.Units.BYTES,
                        Policies.MaxLevel.FREE,
                        Policies.Arithmetic.UNDERFLOW,
                        false,
                        Policies.Flags.RESERVED,
                        Policies.GmemFault.UNLOCKED));
    }

    @Override
    public String doc() {
        return "v2 of April 2024: KVM_MAP_MEMORY in bytes, no flags; its size underflows when a mapping is larger than the range";
    }
}
