package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

import java.util.Set;

/** TDH.MEM.PAGE.PROMOTE (23): RCX = GPA and level 1 or 2, RDX = TDR. Out RCX = the S-EPT table page that is free now. */
final class TdhMemPagePromote {
    private TdhMemPagePromote() {}

    static void run(HostCall call) {
        call.zeroDetails();
        call.lockTdr(RDX, HostCall.SHARED);
        call.tdcsCheck(OpState.MAY_MANAGE);
        call.gpaWithLevel(1, 2);
        call.lockTree(HostCall.SHARED);
        call.walk();
        call.lockEntry();
        call.entryIn(Set.of(SeptState.NL_MAPPED, SeptState.NL_BLOCKED));
        call.blockedAndTracked();
        lockChildren(call);
        call.check(TdhMemPagePromote::uniform, Status.EPT_INVALID_PROMOTE_CONDITIONS.on(RCX));
        if (!call.failed()) {
            call.lockPamt(firstPage(call), call.level(), HostCall.EXCLUSIVE, LockObject.PAGE, RCX);
        }
        if (call.failed()) {
            return;
        }
        long table = call.entryTarget();
        long range = firstPage(call);
        SeptState state = SeptEntry.state(call.memory.read64(table));
        call.pamt.promote(range, call.level());
        call.writeEntry(state, range);
        call.pamt.free(table, Pamt.SIZE_4K);
        call.tdr().addChildren(-1);
        call.out(RCX, table);
        call.out(RDX, 0);
    }

    private static void lockChildren(HostCall call) {
        for (int i = 0; i < 512 && !call.failed(); i++) {
            call.take(
                    new TryLock.Entry(call.memory, call.entryTarget() + 8L * i),
                    LockObject.SEPT_ENTRY,
                    HostCall.EXCLUSIVE,
                    RCX);
        }
    }

    private static long firstPage(HostCall call) {
        return SeptEntry.hpa(call.memory.read64(call.entryTarget()), call.level() - 1);
    }

    /** All MAPPED or all PENDING, contiguous, aligned to the larger size. */
    private static boolean uniform(HostCall call) {
        long table = call.entryTarget();
        SeptState state = SeptEntry.state(call.memory.read64(table));
        if (state != SeptState.MAPPED && state != SeptState.PENDING) {
            return false;
        }
        long first = firstPage(call);
        int childLevel = call.level() - 1;
        if ((first & Pamt.bytes(call.level()) - 1) != 0) {
            return false;
        }
        for (int i = 0; i < 512; i++) {
            long raw = call.memory.read64(table + 8L * i);
            if (SeptEntry.state(raw) != state || SeptEntry.hpa(raw, childLevel) != first + i * Pamt.bytes(childLevel)) {
                return false;
            }
        }
        return true;
    }
}
