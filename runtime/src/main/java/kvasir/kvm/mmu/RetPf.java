package kvasir.kvm.mmu;

import kvasir.kvm.Errno;
import kvasir.kvm.VcpuMmu;

/**
 * How a fault ended (RET_PF_*): 0 and up, or a negative errno. Those that leave the MMU are named in {@link VcpuMmu}.
 */
final class RetPf {
    static final int CONTINUE = 0;
    static final int RETRY = VcpuMmu.RETRY;
    static final int EMULATE = VcpuMmu.EMULATE;
    static final int WRITE_PROTECTED = VcpuMmu.WRITE_PROTECTED;
    static final int INVALID = 4;
    static final int FIXED = VcpuMmu.FIXED;
    static final int SPURIOUS = VcpuMmu.SPURIOUS;

    private static final String[] NAMES = {
        "CONTINUE", "RETRY", "EMULATE", "WRITE_PROTECTED", "INVALID", "FIXED", "SPURIOUS"
    };

    private RetPf() {}

    static int error(Errno errno) {
        return -errno.number();
    }

    /** {@code FIXED}, {@code EFAULT}. */
    static String name(int result) {
        return result < 0 ? Errno.of(result).name() : NAMES[result];
    }
}
