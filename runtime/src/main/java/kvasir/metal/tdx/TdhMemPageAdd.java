package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.R9;
import static kvasir.metal.tdx.Operand.RDX;

import java.util.Set;

/** TDH.MEM.PAGE.ADD (2): RCX = GPA and level 0, RDX = TDR, R8 = target page, R9 = source page. */
final class TdhMemPageAdd {
    private TdhMemPageAdd() {}

    static void run(HostCall call) {
        call.zeroDetails();
        call.lockTdr(RDX, HostCall.EXCLUSIVE);
        call.tdcsCheck(OpState.BUILD, HostCall.OpStateLock.NONE);
        call.gpaWithLevel(0, 0);
        call.walk();
        call.entryIn(Set.of(SeptState.FREE));
        call.sharedHpa(R9, 4096, 4096);
        call.freePage(R8);
        if (call.failed()) {
            return;
        }
        long page = call.in(R8);
        call.copyPage(call.plain(call.in(R9)), page);
        call.writeEntry(SeptState.MAPPED, page);
        call.module.measure(call.tdr(), "MEM.PAGE.ADD", "TDH.MEM.PAGE.ADD", call.gpa(), new byte[0]);
        call.tdr().addChildren(1);
        call.pamt.assign(page, Pamt.SIZE_4K, PageType.PT_REG, call.tdr().hpa());
    }
}
