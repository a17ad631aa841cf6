package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/** TDG.MR.VERIFYREPORT (22): RCX = REPORTMACSTRUCT, 256-byte aligned. Accepts what this platform made. */
final class TdgMrVerifyreport {
    private TdgMrVerifyreport() {}

    static void run(GuestCall call) {
        call.privateGpa(RCX, TdReport.MAC_STRUCT_BYTES);
        long buffer = call.operand(RCX, PrivateAccess.Kind.READ);
        if (call.failed()) {
            return;
        }
        var macStruct = new byte[TdReport.MAC_STRUCT_BYTES];
        call.memory.read(buffer, macStruct, 0, macStruct.length);
        call.fail(TdReport.verify(macStruct, call.module.reportKey()));
    }
}
