package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/** TDG.VM.RD (7): RCX = 0, RDX = field id. Out R8 = value; version 1: RDX = next readable field id. */
final class TdgVmRd {
    private TdgVmRd() {}

    static void run(GuestCall call) {
        call.out(R8, 0);
        call.check(c -> c.in(RCX) == 0, Status.OPERAND_INVALID.on(RCX));
        if (call.failed()) {
            return;
        }
        if (call.version() > 0 && call.in(RDX) == FieldTable.NULL_ID) {
            call.out(RDX, TdFields.TABLE.first(FieldTable.Side.GUEST));
            call.fail(Status.METADATA_FIRST_FIELD_ID_IN_CONTEXT.value());
            return;
        }
        var result = TdFields.TABLE.read(call.tdr(), call.in(RDX), FieldTable.Side.GUEST);
        call.fail(result.status());
        if (call.failed()) {
            return;
        }
        call.out(R8, result.value());
        if (call.version() > 0) {
            call.out(RDX, TdFields.TABLE.next(result.id(), FieldTable.Side.GUEST));
        }
    }
}
