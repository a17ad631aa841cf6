package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/** TDH.MNG.CREATE (9): RCX = TDR page, RDX = HKID in bits 15:0. */
final class TdhMngCreate {
    private TdhMngCreate() {}

    static void run(HostCall call) {
        call.check(
                c -> c.in(RDX) >>> 16 == 0 && c.state.platform.privateHkid(c.in(RDX)), Status.OPERAND_INVALID.on(RDX));
        call.page(call.in(RCX), PageType.PT_NDA, HostCall.EXCLUSIVE, LockObject.TDR, RCX);
        call.lockKot(HostCall.EXCLUSIVE);
        call.check(c -> c.state.kot[(int) c.in(RDX)] == HkidState.HKID_FREE, Status.HKID_NOT_FREE.value());
        call.check(c -> !c.module.conditions().takeEntropyShortage(), Status.RND_NO_ENTROPY.value());
        if (call.failed()) {
            return;
        }
        long page = call.in(RCX);
        int hkid = (int) call.in(RDX);
        call.memory.discard(page >>> 12);
        var tdr = new Tdr(call.memory, page);
        tdr.setLifecycle(Lifecycle.TD_HKID_ASSIGNED);
        tdr.setHkid(hkid);
        for (int word = 0; word < 4; word++) {
            tdr.setUuid(word, call.state.nextRandom());
        }
        call.state.kot[hkid] = HkidState.HKID_ASSIGNED;
        call.pamt.assign(page, Pamt.SIZE_4K, PageType.PT_TDR, 0);
    }
}
