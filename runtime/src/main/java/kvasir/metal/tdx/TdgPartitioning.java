package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/** TDG.VP.ENTER (25), TDG.VP.INVEPT (26), TDG.VP.INVVPID (27): in a TD without L2 VMs there is no VM to name in RCX. */
final class TdgPartitioning {
    private TdgPartitioning() {}

    static void run(GuestCall call) {
        call.fail(Status.OPERAND_INVALID.on(RCX));
    }
}
