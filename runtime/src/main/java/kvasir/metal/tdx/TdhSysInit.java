package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/** TDH.SYS.INIT (33): once after the module is loaded. RCX = attributes, must be 0. */
final class TdhSysInit {
    private TdhSysInit() {}

    static void run(HostCall call) {
        call.check(c -> c.in(RCX) == 0, Status.OPERAND_INVALID.on(RCX));
        call.lockSys();
        call.check(c -> c.state.sysState == SysState.SYSINIT_PENDING, Status.SYS_INIT_NOT_PENDING.value());
        if (call.failed()) {
            return;
        }
        call.state.sysState = SysState.SYSINIT_DONE;
    }
}
