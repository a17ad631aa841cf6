package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/** TDH.VP.WR (43): RCX = TDVPR, RDX = field id, R8 = value, R9 = mask. Out R8 = old value. */
final class TdhVpWr {
    private TdhVpWr() {}

    static void run(HostCall call) {
        call.lockTdvpr(call.in(RCX), RCX, HostCall.SHARED);
        call.tdcsCheck(OpState.MAY_WRITE);
        call.vcpuForFields();
        call.writeField(VpFields.TABLE, HostCall::tdvps);
    }
}
