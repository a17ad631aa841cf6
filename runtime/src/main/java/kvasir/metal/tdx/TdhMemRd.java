package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

import java.util.EnumSet;
import java.util.Set;

/** TDH.MEM.RD (12): RCX = GPA of 8 bytes, RDX = TDR of a debug TD. Out R8 = data. */
final class TdhMemRd {
    private static final Set<SeptState> READABLE = EnumSet.of(
            SeptState.MAPPED,
            SeptState.BLOCKEDW,
            SeptState.EXPORTED_BLOCKEDW,
            SeptState.EXPORTED_DIRTY,
            SeptState.EXPORTED_DIRTY_BLOCKEDW);

    private TdhMemRd() {}

    static void run(HostCall call) {
        call.out(R8, 0);
        word(call, OpState.ANY_INITIALISED, READABLE);
        if (call.failed()) {
            return;
        }
        call.out(R8, call.memory.read64(address(call)));
    }

    /** The checks that TDH.MEM.RD and TDH.MEM.WR share. */
    static void word(HostCall call, int opStates, Set<SeptState> states) {
        call.zeroDetails();
        call.lockTdr(RDX, HostCall.SHARED);
        call.tdcsCheck(opStates);
        call.check(c -> c.tdcs().debug(), Status.TD_NON_DEBUG.value());
        call.gpaAligned(8);
        call.lockTree(HostCall.SHARED);
        call.walkToLeaf(Status.EPT_WALK_FAILED.on(RCX));
        call.lockEntry();
        call.entryIn(states);
    }

    static long address(HostCall call) {
        return call.entryTarget() + (call.gpa() & Pamt.bytes(call.level()) - 1);
    }
}
