package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R10;
import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.R9;
import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/** TDG.VP.VEINFO.GET (3): reads VE_INFO and makes room for the next #VE. */
final class TdgVpVeinfoGet {
    private TdgVpVeinfoGet() {}

    static void run(GuestCall call) {
        var info = VeInfo.of(call.vcpu);
        call.check(c -> info.valid(), Status.NO_VALID_VE_INFO.value());
        if (call.failed()) {
            return;
        }
        call.out(RCX, info.reason());
        call.out(RDX, info.qualification());
        call.out(R8, info.gla());
        call.out(R9, info.gpa());
        call.out(R10, info.instruction());
        info.clear();
    }
}
