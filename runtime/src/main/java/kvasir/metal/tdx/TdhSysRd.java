package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.RDX;

/** TDH.SYS.RD (34): RDX = global field id, all ones for the first. Out RDX = next id, R8 = value. */
final class TdhSysRd {
    private TdhSysRd() {}

    static void run(HostCall call) {
        call.out(R8, 0);
        long id = call.in(RDX);
        call.out(RDX, FieldTable.NULL_ID);
        if (id == FieldTable.NULL_ID) {
            call.out(RDX, SysFields.TABLE.first(FieldTable.Side.HOST));
            call.fail(Status.METADATA_FIRST_FIELD_ID_IN_CONTEXT.value());
            return;
        }
        var result = SysFields.TABLE.read(call.module, id, FieldTable.Side.HOST);
        call.fail(result.status());
        if (call.failed()) {
            return;
        }
        call.out(R8, result.value());
        call.out(RDX, SysFields.TABLE.next(result.id(), FieldTable.Side.HOST));
    }
}
