package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/** TDH.MNG.WR (13): RCX = TDR, RDX = field id, R8 = value, R9 = mask. Out R8 = old value. */
final class TdhMngWr {
    private TdhMngWr() {}

    static void run(HostCall call) {
        call.lockTdr(RCX, HostCall.SHARED);
        call.tdcsCheck(OpState.MAY_WRITE);
        call.writeField(TdFields.TABLE, HostCall::tdr);
    }
}
