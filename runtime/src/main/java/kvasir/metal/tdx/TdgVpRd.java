package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.RDX;

/** TDG.VP.RD (9): RDX = field id. Out R8 = value. Without L2 VMs no vCPU field is the guest's to read. */
final class TdgVpRd {
    private TdgVpRd() {}

    static void run(GuestCall call) {
        call.out(R8, 0);
        var result = VpFields.TABLE.read(call.vcpu, call.in(RDX), FieldTable.Side.GUEST);
        call.fail(result.status());
        if (!call.failed()) {
            call.out(R8, result.value());
        }
    }
}
