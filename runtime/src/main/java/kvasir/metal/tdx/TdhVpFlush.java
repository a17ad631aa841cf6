package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/** TDH.VP.FLUSH (18): RCX = TDVPR. Dissociates the vCPU from this LP. */
final class TdhVpFlush {
    private TdhVpFlush() {}

    static void run(HostCall call) {
        call.lockTdvpr(call.in(RCX), RCX, HostCall.EXCLUSIVE);
        call.check(c -> c.tdr().lifecycle() == Lifecycle.TD_KEYS_CONFIGURED, Status.TD_KEYS_NOT_CONFIGURED.value());
        call.tdvpsComplete();
        call.check(c -> c.tdvps().assocLpid() == c.lp, Status.VCPU_NOT_ASSOCIATED.value());
        if (call.failed()) {
            return;
        }
        call.tdvps().setAssocLpid(Tdvps.NOT_ASSOCIATED);
        call.tdcs().addAssociated(-1);
        if (call.state.lastVcpu[call.lp] == call.tdvps().hpa()) {
            call.state.lastVcpu[call.lp] = 0;
        }
    }
}
