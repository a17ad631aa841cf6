package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/** TDH.MNG.KEY.CONFIG (8): RCX = TDR. Once on one LP of each package. */
final class TdhMngKeyConfig {
    private TdhMngKeyConfig() {}

    static void run(HostCall call) {
        call.lockTdr(RCX, HostCall.EXCLUSIVE);
        call.notFatal();
        call.check(c -> c.tdr().lifecycle() == Lifecycle.TD_HKID_ASSIGNED, Status.LIFECYCLE_STATE_INCORRECT.value());
        call.check(c -> (c.tdr().packages() & c.packageBit()) == 0, Status.KEY_CONFIGURED.value());
        call.take(new TryLock.Sharex(call.state.ketLock), LockObject.KET, HostCall.EXCLUSIVE, Operand.KET);
        call.check(c -> !c.module.conditions().takeKeyGenerationFailure(), Status.KEY_GENERATION_FAILED.value());
        if (call.failed()) {
            return;
        }
        Tdr tdr = call.tdr();
        tdr.setPackages(tdr.packages() | call.packageBit());
        if (tdr.packages() == call.state.platform.allPackages()) {
            tdr.setLifecycle(Lifecycle.TD_KEYS_CONFIGURED);
        }
    }
}
