package kvasir.metal.tdx;

/** TDH.SYS.LP.INIT (35): once on each LP after TDH.SYS.INIT. */
final class TdhSysLpInit {
    private TdhSysLpInit() {}

    static void run(HostCall call) {
        call.lockSys();
        call.check(c -> c.state.sysState == SysState.SYSINIT_DONE, Status.SYS_LP_INIT_NOT_PENDING.value());
        call.check(c -> !c.state.lpInitialised[c.lp], Status.SYS_LP_INIT_DONE.value());
        if (call.failed()) {
            return;
        }
        call.state.lpInitialised[call.lp] = true;
    }
}
