package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/** TDH.VP.CREATE (10): RCX = TDVPR page, RDX = TDR. */
final class TdhVpCreate {
    private TdhVpCreate() {}

    static void run(HostCall call) {
        call.lockTdr(RDX, HostCall.SHARED);
        call.tdcsCheck(OpState.MAY_CREATE_VCPU);
        call.freePage(RCX);
        if (call.failed()) {
            return;
        }
        long page = call.in(RCX);
        call.memory.discard(page >>> 12);
        var vcpu = new Tdvps(call.memory, page);
        vcpu.addPage(page);
        vcpu.setAssocLpid(Tdvps.NOT_ASSOCIATED);
        vcpu.setState(VcpuState.VCPU_UNINITIALIZED);
        call.tdr().addChildren(1);
        call.pamt.assign(page, Pamt.SIZE_4K, PageType.PT_TDVPR, call.tdr().hpa());
    }
}
