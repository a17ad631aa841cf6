package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.RDX;

/** TDG.SYS.RD (11): RDX = global field id, all ones for the first. Out RDX = next id, R8 = value. */
final class TdgSysRd {
    private TdgSysRd() {}

    static void run(GuestCall call) {
        long id = call.in(RDX);
        call.out(R8, 0);
        call.out(RDX, FieldTable.NULL_ID);
        if (id == FieldTable.NULL_ID) {
            call.out(RDX, SysFields.TABLE.first(FieldTable.Side.GUEST));
            call.fail(Status.METADATA_FIRST_FIELD_ID_IN_CONTEXT.value());
            return;
        }
        var result = SysFields.TABLE.read(call.module, id, FieldTable.Side.GUEST);
        call.fail(result.status());
        if (!call.failed()) {
            call.out(R8, result.value());
            call.out(RDX, SysFields.TABLE.next(result.id(), FieldTable.Side.GUEST));
        }
    }
}
