package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.RDX;

import java.util.Set;

/** TDH.MEM.PAGE.DEMOTE (15): RCX = GPA and level 1 or 2, RDX = TDR, R8 = page for the new S-EPT table. */
final class TdhMemPageDemote {
    private TdhMemPageDemote() {}

    static void run(HostCall call) {
        call.zeroDetails();
        call.lockTdrAt(call.in(RDX) & ~1L, RDX, HostCall.SHARED);
        call.tdcsCheck(OpState.MAY_MANAGE);
        call.gpaWithLevel(1, 2);
        call.lockTree(HostCall.SHARED);
        call.walk();
        call.lockEntry();
        call.entryIn(Set.of(SeptState.MAPPED, SeptState.BLOCKED, SeptState.PENDING, SeptState.PENDING_BLOCKED));
        call.blockedAndTracked();
        call.freePage(R8);
        call.check(c -> !c.module.conditions().takePendingInterrupt(), Status.INTERRUPTED_RESTARTABLE.value());
        if (call.failed()) {
            return;
        }
        int childLevel = call.level() - 1;
        long range = call.entryTarget();
        long table = call.in(R8);
        SeptState child = call.entryState().unblocked();
        for (int i = 0; i < 512; i++) {
            call.memory.write64(table + 8L * i, SeptEntry.encode(child, range + i * Pamt.bytes(childLevel)));
        }
        call.pamt.demote(range, call.level());
        call.writeEntry(SeptState.NL_MAPPED, table);
        call.pamt.assign(table, Pamt.SIZE_4K, PageType.PT_EPT, call.tdr().hpa());
        call.tdr().addChildren(1);
    }
}
