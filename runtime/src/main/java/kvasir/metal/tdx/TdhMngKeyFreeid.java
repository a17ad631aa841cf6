package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/** TDH.MNG.KEY.FREEID (20): RCX = TDR. Gives the key id back. */
final class TdhMngKeyFreeid {
    private TdhMngKeyFreeid() {}

    static void run(HostCall call) {
        call.lockTdr(RCX, HostCall.EXCLUSIVE);
        call.check(c -> c.tdr().lifecycle() == Lifecycle.TD_BLOCKED, Status.LIFECYCLE_STATE_INCORRECT.value());
        call.lockKot(HostCall.EXCLUSIVE);
        call.check(c -> c.state.wbinvdBitmap[c.tdr().hkid()] == 0, Status.WBCACHE_NOT_COMPLETE.value());
        if (call.failed()) {
            return;
        }
        call.tdr().setLifecycle(Lifecycle.TD_TEARDOWN);
        call.state.kot[call.tdr().hkid()] = HkidState.HKID_FREE;
    }
}
