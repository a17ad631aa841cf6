package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/** TDH.MEM.TRACK (38): RCX = TDR. Starts a new TLB epoch. */
final class TdhMemTrack {
    private TdhMemTrack() {}

    static void run(HostCall call) {
        call.lockTdr(RCX, HostCall.SHARED);
        call.tdcsCheck(OpState.MAY_TRACK);
        if (!call.failed()) {
            call.take(call.tdcs().lock(Tdcs.EPOCH_LOCK), LockObject.TD_EPOCH, HostCall.EXCLUSIVE, Operand.TD_EPOCH);
        }
        call.check(
                c -> c.tdcs().refcount(1 - (int) (c.tdcs().tdEpoch() & 1)) == 0,
                Status.PREVIOUS_TLB_EPOCH_BUSY.value());
        if (call.failed()) {
            return;
        }
        call.tdcs().setU64(Tdcs.TD_EPOCH, call.tdcs().tdEpoch() + 1);
    }
}
