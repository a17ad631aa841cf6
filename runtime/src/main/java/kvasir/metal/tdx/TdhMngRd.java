package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/** TDH.MNG.RD (11): RCX = TDR, RDX = field id. Out R8 = value; version 1: RDX = next readable field id. */
final class TdhMngRd {
    private TdhMngRd() {}

    static void run(HostCall call) {
        call.lockTdr(RCX, HostCall.SHARED);
        call.tdcsCheck(OpState.ANY_INITIALISED);
        call.readField(TdFields.TABLE, HostCall::tdr);
    }
}
