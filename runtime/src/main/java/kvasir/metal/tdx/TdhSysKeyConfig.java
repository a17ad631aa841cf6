package kvasir.metal.tdx;

/** TDH.SYS.KEY.CONFIG (31): once on one LP of each package; the last makes the module ready. */
final class TdhSysKeyConfig {
    private TdhSysKeyConfig() {}

    static void run(HostCall call) {
        call.lockSys();
        call.check(c -> c.state.sysState == SysState.SYSCONFIG_DONE, Status.SYS_KEY_CONFIG_NOT_PENDING.value());
        call.check(c -> (c.state.packagesKeyConfigured & c.packageBit()) == 0, Status.KEY_CONFIGURED.value());
        call.check(c -> !c.module.conditions().takeKeyGenerationFailure(), Status.KEY_GENERATION_FAILED.value());
        if (call.failed()) {
            return;
        }
        call.state.packagesKeyConfigured |= call.packageBit();
        if (call.state.packagesKeyConfigured == call.state.platform.allPackages()) {
            call.state.sysState = SysState.SYS_READY;
        }
    }
}
