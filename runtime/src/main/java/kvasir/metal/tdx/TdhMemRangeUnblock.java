package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RDX;

import java.util.Set;

/** TDH.MEM.RANGE.UNBLOCK (39): RCX = GPA and level, RDX = TDR. A tracking failure names operand SEPT_TREE here, not RCX. */
final class TdhMemRangeUnblock {
    private TdhMemRangeUnblock() {}

    static void run(HostCall call) {
        call.zeroDetails();
        call.lockTdr(RDX, HostCall.SHARED);
        call.tdcsCheck(OpState.MAY_MANAGE);
        call.gpaWithLevel(0);
        call.lockTree(HostCall.EXCLUSIVE);
        call.walk();
        call.lockEntry();
        call.entryIn(Set.of(SeptState.NL_BLOCKED, SeptState.BLOCKED, SeptState.PENDING_BLOCKED));
        call.check(
                c -> !c.tdcs().opState().tlbTrackingEnforced()
                        || c.tdcs().tracked(c.pamt.bepoch(c.entryTarget(), c.entryPamtSize())),
                Status.TLB_TRACKING_NOT_DONE.on(Operand.SEPT_TREE));
        if (call.failed()) {
            return;
        }
        call.writeEntry(call.entryState().unblocked(), call.entryTarget());
    }
}
