package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/** TDG.VP.VMCALL (0): RCX = mask of registers that the host sees and sets: GPRs in bits 15:0, XMM in bits 31:16. */
final class TdgVpVmcall {
    private static final long NEVER_PASSED = 1L << Operand.RAX | 1L << RCX | 1L << Operand.RSP;

    private TdgVpVmcall() {}

    static void run(GuestCall call) {
        boolean keepRbp = (call.tdcs().u64(Tdcs.CONFIG_FLAGS) & Tdcs.CONFIG_NO_RBP_MOD) != 0;
        long forbidden = NEVER_PASSED | (keepRbp ? 1L << Operand.RBP : 0) | -1L << 32;
        call.check(c -> (c.in(RCX) & forbidden) == 0, Status.OPERAND_INVALID.on(RCX));
        call.exit(new TdExit.Vmcall(call.regs()));
    }
}
