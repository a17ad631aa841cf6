package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.RDX;

import java.util.Set;

/**
 * TDH.MEM.SEPT.ADD (3): RCX = GPA and level of the entry that will point to the table, RDX = TDR with ALLOW_EXISTING in
 * bit 0, R8 = table page, bit 63 ignored. Version 1 takes L2 pages in R9 to R11, all ones for none, and tells an unused
 * page by bit 63 of R8.
 */
final class TdhMemSeptAdd {
    private static final long ALLOW_EXISTING = 1;
    private static final long UNUSED = 1L << 63;
    private static final long TDR_RESERVED = 0xffeL;

    private TdhMemSeptAdd() {}

    static void run(HostCall call) {
        call.zeroDetails();
        call.check(c -> (c.in(RDX) & TDR_RESERVED) == 0, Status.OPERAND_INVALID.on(RDX));
        call.lockTdrAt(call.in(RDX) & ~ALLOW_EXISTING, RDX, HostCall.SHARED);
        call.tdcsCheck(OpState.MAY_ADD_TABLE);
        call.gpaWithLevel(1);
        call.lockTree(HostCall.SHARED);
        call.walk();
        call.lockEntry();
        call.entryIn(Set.of(SeptState.FREE, SeptState.NL_MAPPED));
        call.check(
                c -> c.in(R8) != -1 || c.version() > 0 && c.entryState() == SeptState.NL_MAPPED,
                Status.OPERAND_INVALID.on(R8));
        if (call.failed()) {
            return;
        }
        if (call.entryState() == SeptState.NL_MAPPED) {
            existing(call);
            return;
        }
        long page = call.in(R8) & ~UNUSED;
        call.page(page, PageType.PT_NDA, HostCall.EXCLUSIVE, LockObject.PAGE, R8);
        call.check(
                c -> c.version() == 0 || !c.module.conditions().takePendingInterrupt(),
                Status.INTERRUPTED_RESTARTABLE.value());
        if (call.failed()) {
            return;
        }
        call.memory.fillFrame(page >>> 12, SeptEntry.encode(SeptState.FREE, 0));
        call.writeEntry(SeptState.NL_MAPPED, page);
        call.pamt.assign(page, Pamt.SIZE_4K, PageType.PT_EPT, call.tdr().hpa());
        call.tdr().addChildren(1);
    }

    private static void existing(HostCall call) {
        if ((call.in(RDX) & ALLOW_EXISTING) == 0) {
            call.stateIncorrect();
        } else if (call.version() > 0) {
            call.out(R8, call.in(R8) | UNUSED);
        }
    }
}
