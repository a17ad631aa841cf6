package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/** TDH.VP.RD (26): RCX = TDVPR, RDX = field id. Out R8 = value; version 1: RDX = next readable field id. */
final class TdhVpRd {
    private TdhVpRd() {}

    static void run(HostCall call) {
        call.lockTdvpr(call.in(RCX), RCX, HostCall.SHARED);
        call.tdcsCheck(OpState.ANY_INITIALISED);
        call.vcpuForFields();
        call.readField(VpFields.TABLE, HostCall::tdvps);
    }
}
