package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/** TDH.VP.ADDCX (4): RCX = page for the TDVPS, RDX = TDVPR. */
final class TdhVpAddcx {
    private TdhVpAddcx() {}

    static void run(HostCall call) {
        call.lockTdvpr(call.in(RDX), RDX, HostCall.EXCLUSIVE);
        call.tdcsCheck(OpState.MAY_CREATE_VCPU);
        call.check(c -> c.tdvps().state() == VcpuState.VCPU_UNINITIALIZED, Status.VCPU_STATE_INCORRECT.value());
        call.check(c -> c.tdvps().pages() < Tdvps.PAGES_MAX, Status.TDCX_NUM_INCORRECT.value());
        call.freePage(RCX);
        if (call.failed()) {
            return;
        }
        long page = call.in(RCX);
        call.memory.discard(page >>> 12);
        call.tdvps().addPage(page);
        call.tdr().addChildren(1);
        call.pamt.assign(page, Pamt.SIZE_4K, PageType.PT_TDCX, call.tdr().hpa());
    }
}
