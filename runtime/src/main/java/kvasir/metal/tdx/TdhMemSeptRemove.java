package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

import java.util.Set;

/** TDH.MEM.SEPT.REMOVE (30): RCX = GPA and level of the entry that points to the table, RDX = TDR. Out RCX = table page. */
final class TdhMemSeptRemove {
    private TdhMemSeptRemove() {}

    static void run(HostCall call) {
        call.zeroDetails();
        call.lockTdr(RDX, HostCall.SHARED);
        call.tdcsCheck(OpState.ANY_INITIALISED);
        call.gpaWithLevel(1);
        call.lockTree(HostCall.EXCLUSIVE);
        call.walk();
        call.lockEntry();
        call.entryIn(Set.of(SeptState.NL_MAPPED, SeptState.NL_BLOCKED));
        if (!call.failed()) {
            call.lockPamt(call.entryTarget(), Pamt.SIZE_4K, HostCall.EXCLUSIVE, LockObject.PAGE, RCX);
        }
        call.blockedAndTracked();
        call.check(TdhMemSeptRemove::allFree, Status.EPT_PAGE_NOT_FREE.on(RCX));
        if (call.failed()) {
            return;
        }
        long table = call.entryTarget();
        call.writeEntry(SeptState.FREE, 0);
        call.tdr().addChildren(-1);
        call.pamt.free(table, Pamt.SIZE_4K);
        call.out(RCX, table);
        call.out(RDX, 0);
    }

    private static boolean allFree(HostCall call) {
        long table = call.entryTarget();
        for (int i = 0; i < 512; i++) {
            if (SeptEntry.state(call.memory.read64(table + 8 * i)) != SeptState.FREE) {
                return false;
            }
        }
        return true;
    }
}
