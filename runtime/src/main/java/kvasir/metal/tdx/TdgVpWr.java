package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.R9;
import static kvasir.metal.tdx.Operand.RDX;

/** TDG.VP.WR (10): RDX = field id, R8 = value, R9 = mask. Out R8 = old value. */
final class TdgVpWr {
    private TdgVpWr() {}

    static void run(GuestCall call) {
        var result = VpFields.TABLE.write(call.vcpu, call.in(RDX), call.in(R8), call.in(R9), FieldTable.Side.GUEST);
        call.out(R8, result.status() == 0 ? result.value() : 0);
        call.fail(result.status());
    }
}
