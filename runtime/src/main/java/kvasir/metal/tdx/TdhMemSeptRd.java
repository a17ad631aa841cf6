package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RDX;

/** TDH.MEM.SEPT.RD (25): RCX = GPA and level, RDX = TDR. Out RCX = architectural entry, RDX = level and state. */
final class TdhMemSeptRd {
    private TdhMemSeptRd() {}

    static void run(HostCall call) {
        call.zeroDetails();
        call.lockTdr(RDX, HostCall.SHARED);
        call.tdcsCheck(OpState.ANY_INITIALISED);
        call.gpaWithLevel(0);
        call.lockTree(HostCall.SHARED);
        call.walk();
        call.lockEntry();
        if (call.failed()) {
            return;
        }
        call.details();
    }
}
