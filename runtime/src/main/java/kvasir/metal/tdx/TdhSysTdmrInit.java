package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/** TDH.SYS.TDMR.INIT (36): initialises the PAMT of the next 1 GiB. RCX = TDMR base; out RDX = next address. */
final class TdhSysTdmrInit {
    private TdhSysTdmrInit() {}

    static void run(HostCall call) {
        int index = index(call.state, call.in(RCX));
        if (index < 0) {
            call.fail(Status.OPERAND_INVALID.on(RCX));
            return;
        }
        call.take(new TryLock.Sharex(call.state.tdmrLocks[index]), LockObject.TDMR, HostCall.EXCLUSIVE, RCX);
        Tdmr tdmr = call.state.tdmrs.get(index);
        call.check(c -> c.state.tdmrInitialised[index] < tdmr.end(), Status.TDMR_ALREADY_INITIALIZED.value());
        if (call.failed()) {
            return;
        }
        call.pamt.initialise(tdmr, call.state.tdmrInitialised[index]);
        call.state.tdmrInitialised[index] += 1L << 30;
        call.out(RDX, call.state.tdmrInitialised[index]);
    }

    private static int index(ModuleState state, long base) {
        for (int i = 0; i < state.tdmrs.size(); i++) {
            if (state.tdmrs.get(i).base() == base) {
                return i;
            }
        }
        return -1;
    }
}
