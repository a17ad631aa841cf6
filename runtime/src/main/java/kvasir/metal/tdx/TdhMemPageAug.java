package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.RDX;

import java.util.Set;

/** TDH.MEM.PAGE.AUG (6): RCX = GPA and level 0 or 1, RDX = TDR, R8 = page. The page is pending until the guest accepts it. */
final class TdhMemPageAug {
    private TdhMemPageAug() {}

    static void run(HostCall call) {
        call.zeroDetails();
        call.lockTdr(RDX, HostCall.SHARED);
        call.tdcsCheck(OpState.MAY_AUGMENT);
        call.gpaWithLevel(0, 1);
        call.lockTree(HostCall.SHARED);
        call.walk();
        call.lockEntry();
        call.entryIn(Set.of(SeptState.FREE, SeptState.REMOVED));
        call.freeRange(call.level());
        if (call.failed()) {
            return;
        }
        call.writeEntry(SeptState.PENDING, call.in(R8));
        call.tdr().addChildren(1L << 9 * call.level());
        call.pamt.assign(call.in(R8), call.level(), PageType.PT_REG, call.tdr().hpa());
    }
}
