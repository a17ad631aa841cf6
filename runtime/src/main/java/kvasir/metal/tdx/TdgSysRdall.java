package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.RDX;

/** TDG.SYS.RDALL (12): RDX = GPA of a 4K buffer for a metadata list, R8 = first field id, all ones for the beginning. */
final class TdgSysRdall {
    private TdgSysRdall() {}

    static void run(GuestCall call) {
        call.privateGpa(RDX, 4096);
        long first = call.in(R8) == FieldTable.NULL_ID ? SysFields.TABLE.first(FieldTable.Side.GUEST) : call.in(R8);
        call.check(
                c -> SysFields.TABLE
                                .read(c.module, first, FieldTable.Side.GUEST)
                                .status()
                        == 0,
                Status.METADATA_FIELD_ID_INCORRECT.value());
        long buffer = call.operand(RDX, PrivateAccess.Kind.WRITE);
        if (call.failed()) {
            return;
        }
        call.memory.write(buffer, MetadataList.of(call.module, first), 0, 4096);
        call.out(R8, FieldTable.NULL_ID);
    }
}
