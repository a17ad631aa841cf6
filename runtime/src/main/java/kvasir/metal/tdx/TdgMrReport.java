package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/** TDG.MR.REPORT (4): RCX = 1024-byte buffer, RDX = 64 bytes of report data, both private or shared, R8 = subtype 0. */
final class TdgMrReport {
    private TdgMrReport() {}

    static void run(GuestCall call) {
        call.anyGpa(RCX, TdReport.BYTES);
        call.anyGpa(RDX, TdReport.REPORT_DATA_BYTES);
        long data = call.operand(RDX, PrivateAccess.Kind.READ);
        call.check(c -> c.in(R8) == 0, Status.OPERAND_INVALID.on(R8));
        call.withRtmrs(false, () -> report(call, data));
    }

    private static void report(GuestCall call, long data) {
        long buffer = call.operand(RCX, PrivateAccess.Kind.WRITE);
        if (call.failed()) {
            return;
        }
        var reportData = new byte[TdReport.REPORT_DATA_BYTES];
        call.memory.read(data, reportData, 0, reportData.length);
        byte[] report = TdReport.of(call.tdcs(), reportData, call.module.reportKey());
        call.memory.write(buffer, report, 0, report.length);
    }
}
