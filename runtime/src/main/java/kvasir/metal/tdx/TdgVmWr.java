package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.R9;
import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/** TDG.VM.WR (8): RCX = 0, RDX = field id, R8 = value, R9 = mask. Out R8 = old value. TD_CTLS.PENDING_VE_DISABLE may change only in a TD with FLEXIBLE_PENDING_VE. */
final class TdgVmWr {
    private static final int TD_CTLS_CLASS = 0x11;
    private static final int TD_CTLS_CODE = 0x17;

    private TdgVmWr() {}

    static void run(GuestCall call) {
        call.check(c -> c.in(RCX) == 0, Status.OPERAND_INVALID.on(RCX));
        call.check(
                c -> FieldTable.codeOf(c.in(RDX)) != TD_CTLS_CODE
                        || FieldTable.classOf(c.in(RDX)) != TD_CTLS_CLASS
                        || (c.tdcs().u64(Tdcs.CONFIG_FLAGS) & Tdcs.CONFIG_FLEXIBLE_PENDING_VE) != 0,
                Status.METADATA_FIELD_NOT_WRITABLE.value());
        if (call.failed()) {
            return;
        }
        var result = TdFields.TABLE.write(call.tdr(), call.in(RDX), call.in(R8), call.in(R9), FieldTable.Side.GUEST);
        call.out(R8, result.status() == 0 ? result.value() : 0);
        call.fail(result.status());
    }
}
