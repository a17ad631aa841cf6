package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/** TDH.MNG.ADDCX (1): RCX = page for the TDCS, RDX = TDR. */
final class TdhMngAddcx {
    private TdhMngAddcx() {}

    static void run(HostCall call) {
        call.lockTdr(RDX, HostCall.EXCLUSIVE);
        call.notFatal();
        call.check(c -> c.tdr().lifecycle() == Lifecycle.TD_KEYS_CONFIGURED, Status.TD_KEYS_NOT_CONFIGURED.value());
        call.check(c -> c.tdr().numTdcx() < Tdr.TDCX_MAX, Status.TDCX_NUM_INCORRECT.value());
        call.check(
                c -> !c.tdr().hasTdcs() || c.tdcs().opState() == OpState.UNINITIALIZED,
                Status.OP_STATE_INCORRECT.value());
        call.freePage(RCX);
        call.check(
                c -> c.tdr().numTdcx() != Tdr.TDCS_PAGES - 1
                        || !c.module.conditions().takeEntropyShortage(),
                Status.RND_NO_ENTROPY.value());
        if (call.failed()) {
            return;
        }
        long page = call.in(RCX);
        Tdr tdr = call.tdr();
        switch (tdr.numTdcx()) {
            case Tdcs.MSR_BITMAPS_PAGE -> call.memory.fillFrame(page >>> 12, -1);
            case Tdcs.SEPT_ROOT_PAGE -> call.memory.fillFrame(page >>> 12, SeptEntry.encode(SeptState.FREE, 0));
            default -> call.memory.discard(page >>> 12);
        }
        tdr.addTdcx(page);
        tdr.addChildren(1);
        call.pamt.assign(page, Pamt.SIZE_4K, PageType.PT_TDCX, tdr.hpa());
    }
}
