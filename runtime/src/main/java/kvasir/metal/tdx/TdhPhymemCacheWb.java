package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/**
 * TDH.PHYMEM.CACHE.WB (40): RCX = 0 to start, 1 to resume. Writes back the caches of this package and clears its bit for
 * every key id that was flushed at the start.
 */
final class TdhPhymemCacheWb {
    private TdhPhymemCacheWb() {}

    static void run(HostCall call) {
        call.check(c -> c.in(RCX) >>> 1 == 0, Status.OPERAND_INVALID.on(RCX));
        int packageIndex = call.state.platform.packageOfLp().get(call.lp);
        call.take(
                new TryLock.Sharex(call.state.wbcacheLocks[packageIndex]),
                LockObject.WBCACHE,
                HostCall.EXCLUSIVE,
                Operand.WBCACHE);
        call.lockKot(HostCall.SHARED);
        call.check(
                c -> c.in(RCX) == 0 || c.state.cacheWbInterrupted[packageIndex], Status.WBCACHE_RESUME_ERROR.value());
        call.check(TdhPhymemCacheWb::anyFlushed, Status.NO_HKID_READY_TO_WBCACHE.value());
        if (call.failed()) {
            return;
        }
        boolean interrupted = call.module.conditions().takeInterruptedWriteback();
        call.state.cacheWbInterrupted[packageIndex] = interrupted;
        if (interrupted) {
            call.fail(Status.INTERRUPTED_RESUMABLE.value());
            return;
        }
        for (int hkid = 0; hkid < call.state.kot.length; hkid++) {
            if (call.state.kot[hkid] == HkidState.HKID_FLUSHED) {
                call.state.wbinvdBitmap[hkid] &= ~call.packageBit();
            }
        }
    }

    private static boolean anyFlushed(HostCall call) {
        for (HkidState state : call.state.kot) {
            if (state == HkidState.HKID_FLUSHED) {
                return true;
            }
        }
        return false;
    }
}
