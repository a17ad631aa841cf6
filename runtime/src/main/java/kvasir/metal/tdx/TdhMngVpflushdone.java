package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/** TDH.MNG.VPFLUSHDONE (19): RCX = TDR. All vCPUs are flushed; a fatal TD may go this way too. */
final class TdhMngVpflushdone {
    private TdhMngVpflushdone() {}

    static void run(HostCall call) {
        call.lockTdr(RCX, HostCall.EXCLUSIVE);
        call.lockKot(HostCall.EXCLUSIVE);
        call.check(
                c -> c.tdr().lifecycle().compareTo(Lifecycle.TD_KEYS_CONFIGURED) <= 0,
                Status.LIFECYCLE_STATE_INCORRECT.value());
        call.check(c -> !c.tdr().hasTdcs() || c.tdcs().numAssocVcpus() == 0, Status.FLUSHVP_NOT_DONE.value());
        if (call.failed()) {
            return;
        }
        Tdr tdr = call.tdr();
        tdr.setLifecycle(Lifecycle.TD_BLOCKED);
        call.state.kot[tdr.hkid()] = HkidState.HKID_FLUSHED;
        call.state.wbinvdBitmap[tdr.hkid()] = call.state.platform.allPackages();
    }
}
