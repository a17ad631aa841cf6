package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

import java.util.EnumSet;
import java.util.Set;

/** TDH.MEM.PAGE.RELOCATE (5): RCX = GPA and level 0, RDX = TDR, R8 = new page. Out RCX = old page. */
final class TdhMemPageRelocate {
    private static final Set<SeptState> LEAVES =
            EnumSet.range(SeptState.MAPPED, SeptState.PENDING_EXPORTED_DIRTY_BLOCKEDW);

    private TdhMemPageRelocate() {}

    static void run(HostCall call) {
        call.zeroDetails();
        call.lockTdr(RDX, HostCall.SHARED);
        call.tdcsCheck(OpState.MAY_MANAGE);
        call.gpaWithLevel(0, 0);
        call.lockTree(HostCall.SHARED);
        call.walk();
        call.lockEntry();
        call.entryIn(LEAVES);
        call.check(c -> c.entryTarget() != c.in(R8), Status.OPERAND_INVALID.on(R8));
        if (!call.failed()) {
            call.lockPamt(call.entryTarget(), Pamt.SIZE_4K, HostCall.EXCLUSIVE, LockObject.PAGE, RCX);
        }
        call.blockedAndTracked();
        call.freePage(R8);
        if (call.failed()) {
            return;
        }
        long old = call.entryTarget();
        long page = call.in(R8);
        SeptState next = call.entryState().unblocked();
        if (!next.pending()) {
            call.copyPage(old, page);
        }
        call.writeEntry(next, page);
        call.pamt.assign(page, Pamt.SIZE_4K, PageType.PT_REG, call.tdr().hpa());
        call.pamt.free(old, Pamt.SIZE_4K);
        call.out(RCX, old);
        call.out(RDX, 0);
    }
}
