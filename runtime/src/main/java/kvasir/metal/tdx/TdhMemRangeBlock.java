package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

import java.util.EnumSet;
import java.util.Set;

/** TDH.MEM.RANGE.BLOCK (7): RCX = GPA and level, RDX = TDR. No new translation of the range is made from here on. */
final class TdhMemRangeBlock {
    private static final Set<SeptState> BLOCKABLE = EnumSet.of(
            SeptState.NL_MAPPED, SeptState.MAPPED, SeptState.BLOCKEDW, SeptState.PENDING, SeptState.PENDING_BLOCKEDW);

    private TdhMemRangeBlock() {}

    static void run(HostCall call) {
        call.zeroDetails();
        call.lockTdr(RDX, HostCall.SHARED);
        call.tdcsCheck(OpState.MAY_MANAGE);
        call.gpaWithLevel(0);
        call.lockTree(HostCall.EXCLUSIVE);
        call.walk();
        call.lockEntry();
        if (!call.failed() && call.entryState().anyBlocked()) {
            call.details();
            call.fail(Status.GPA_RANGE_ALREADY_BLOCKED.on(RCX));
        }
        call.entryIn(BLOCKABLE);
        if (call.failed()) {
            return;
        }
        long target = call.entryTarget();
        int size = call.entryPamtSize();
        call.writeEntry(call.entryState().blocked(), target);
        call.pamt.setBepoch(target, size, call.tdcs().tdEpoch());
    }
}
