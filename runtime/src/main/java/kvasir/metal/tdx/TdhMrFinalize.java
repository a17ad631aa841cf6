package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/** TDH.MR.FINALIZE (17): RCX = TDR. Closes MRTD; the TD may run. No service TD can be bound, so SERVTD_HASH stays zero. */
final class TdhMrFinalize {
    private TdhMrFinalize() {}

    static void run(HostCall call) {
        call.lockTdr(RCX, HostCall.EXCLUSIVE);
        call.tdcsCheck(OpState.BUILD, HostCall.OpStateLock.NONE);
        call.check(c -> c.tdcs().numVcpus() != 0, Status.NO_VCPUS.value());
        if (call.failed()) {
            return;
        }
        Tdcs tdcs = call.tdcs();
        tdcs.setBytes(Tdcs.MRTD, tdcs.measurement().digest());
        tdcs.setOpState(OpState.RUNNABLE);
    }
}
