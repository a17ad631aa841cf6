package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/** TDG.VP.CPUIDVE.SET (5): RCX bit 0 supervisor, bit 1 user: #VE on every CPUID. */
final class TdgVpCpuidveSet {
    private TdgVpCpuidveSet() {}

    static void run(GuestCall call) {
        call.check(c -> c.in(RCX) >>> 2 == 0, Status.OPERAND_INVALID.on(RCX));
        if (!call.failed()) {
            call.vcpu.setU8(Tdvps.CPUIDVE, (int) call.in(RCX));
        }
    }
}
