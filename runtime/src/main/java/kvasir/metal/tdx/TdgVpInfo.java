package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R10;
import static kvasir.metal.tdx.Operand.R11;
import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.R9;
import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/** TDG.VP.INFO (1). */
final class TdgVpInfo {
    private TdgVpInfo() {}

    static void run(GuestCall call) {
        Tdcs tdcs = call.tdcs();
        call.out(RCX, tdcs.gpaWidth());
        call.out(RDX, tdcs.attributes());
        call.out(R8, tdcs.numVcpus() & 0xffff_ffffL | (long) tdcs.maxVcpus() << 32);
        call.out(R9, call.vcpu.index());
        call.out(R10, 1);
        call.out(R11, 0);
    }
}
