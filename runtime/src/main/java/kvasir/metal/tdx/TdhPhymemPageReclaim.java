package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R10;
import static kvasir.metal.tdx.Operand.R11;
import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.R9;
import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/**
 * TDH.PHYMEM.PAGE.RECLAIM (28): RCX = page of a TD in teardown. Out RCX = page type, RDX = owner, R8 = size; they are
 * valid once the metadata was read, even if a later check fails.
 */
final class TdhPhymemPageReclaim {
    private TdhPhymemPageReclaim() {}

    static void run(HostCall call) {
        for (int register : new int[] {RCX, RDX, R8, R9, R10, R11}) {
            call.out(register, 0);
        }
        long page = call.in(RCX);
        call.privateHpa(page, Pamt.SIZE_4K, RCX);
        call.lockPamtAsFound(page, HostCall.EXCLUSIVE, RCX);
        if (call.failed()) {
            return;
        }
        int size = call.foundSize();
        PageType type = call.pamt.type(page, size);
        call.check(c -> type != PageType.PT_NDA && type != PageType.PT_RSVD, Status.PAGE_METADATA_INCORRECT.on(RCX));
        if (call.failed()) {
            return;
        }
        call.out(RCX, type.number());
        call.out(RDX, call.pamt.owner(page, size));
        call.out(R8, size);
        call.check(c -> (page & Pamt.bytes(size) - 1) == 0, Status.OPERAND_INVALID.on(RCX));
        if (type == PageType.PT_TDR) {
            root(call, new Tdr(call.memory, page));
        } else {
            child(call, page, size);
        }
        if (!call.failed()) {
            call.pamt.free(page, size);
        }
    }

    private static void root(HostCall call, Tdr tdr) {
        call.check(c -> tdr.lifecycle() == Lifecycle.TD_TEARDOWN, Status.LIFECYCLE_STATE_INCORRECT.value());
        call.check(c -> tdr.chldcnt() == 0, Status.TD_ASSOCIATED_PAGES_EXIST.value());
        if (!call.failed()) {
            call.state.ledgers.remove(tdr.hpa());
        }
    }

    private static void child(HostCall call, long page, int size) {
        call.lockOwner(page, size);
        call.check(c -> c.tdr().lifecycle() == Lifecycle.TD_TEARDOWN, Status.LIFECYCLE_STATE_INCORRECT.value());
        if (!call.failed()) {
            call.tdr().addChildren(-(1L << 9 * size));
        }
    }
}
