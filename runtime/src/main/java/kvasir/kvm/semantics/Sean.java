package kvasir.kvm.semantics;

import kvasir.kvm.Errno;
import kvasir.kvm.KernelVersion;

/** The proposal in reply to RFC 6/8, 11 and 12 March 2024: the call maps and nothing else, for a TD into the mirror; KVM_TDX_INIT_MEM_REGION adds. */
final class Sean extends Semantics {
    Sean() {
        super(
                "sean",
                new KernelVersion(6, 8),
                new Policies(
                        Policies.WhoAdds.MIRROR_FIRST,
                        Policies.Progress.SUCCESS_ON_PARTIAL,
                        Policies.Retry.KERNEL,
                        Policies.InvalidSlot.SPIN,
                        false,
                        false,
                        Policies.BeforeFinalise.ALLOWED,
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
        return "the proposal of 11 March 2024: mapping only fills the tables; a TDX ioctl verifies the mirror, then adds and measures";
    }
}
