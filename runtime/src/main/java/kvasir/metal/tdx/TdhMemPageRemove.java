package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

import java.util.EnumSet;
import java.util.Set;

/** TDH.MEM.PAGE.REMOVE (29): RCX = GPA and level, RDX = TDR. Out RCX = page. Its content is not cleared. */
final class TdhMemPageRemove {
    private static final Set<SeptState> REMOVABLE = EnumSet.of(
            SeptState.MAPPED,
            SeptState.BLOCKED,
            SeptState.BLOCKEDW,
            SeptState.PENDING,
            SeptState.PENDING_BLOCKED,
            SeptState.PENDING_BLOCKEDW);

    private TdhMemPageRemove() {}

    static void run(HostCall call) {
        call.zeroDetails();
        call.lockTdr(RDX, HostCall.SHARED);
        call.tdcsCheck(OpState.MAY_REMOVE);
        call.gpaWithLevel(0, 2);
        call.lockTree(HostCall.SHARED);
        call.walk();
        call.lockEntry();
        call.entryIn(REMOVABLE);
        if (!call.failed()) {
            call.lockPamt(call.entryTarget(), call.level(), HostCall.EXCLUSIVE, LockObject.PAGE, RCX);
        }
        call.blockedAndTracked();
        if (call.failed()) {
            return;
        }
        long page = call.entryTarget();
        call.writeEntry(call.tdcs().opState().importing() ? SeptState.REMOVED : SeptState.FREE, 0);
        call.tdr().addChildren(-(1L << 9 * call.level()));
        call.pamt.free(page, call.level());
        call.out(RCX, page);
        call.out(RDX, 0);
    }
}
