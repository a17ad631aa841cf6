package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.RDX;

/** TDH.SYS.RDALL (37): RDX = 4K buffer for a metadata list, R8 = first field id, all ones for the beginning. Out R8 = all ones. */
final class TdhSysRdall {
    private TdhSysRdall() {}

    static void run(HostCall call) {
        call.sharedHpa(RDX, 4096, 4096);
        long id = call.in(R8) == FieldTable.NULL_ID ? SysFields.TABLE.first(FieldTable.Side.HOST) : call.in(R8);
        call.check(
                c -> SysFields.TABLE.read(c.module, id, FieldTable.Side.HOST).status() == 0,
                Status.METADATA_FIELD_ID_INCORRECT.value());
        if (call.failed()) {
            return;
        }
        call.memory.write(call.plain(call.in(RDX)), MetadataList.of(call.module, id), 0, 4096);
        call.out(R8, FieldTable.NULL_ID);
    }
}
