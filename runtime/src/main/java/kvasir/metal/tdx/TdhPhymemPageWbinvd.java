package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/** TDH.PHYMEM.PAGE.WBINVD (41): RCX = free page with its key id in the upper address bits. */
final class TdhPhymemPageWbinvd {
    private TdhPhymemPageWbinvd() {}

    static void run(HostCall call) {
        call.page(call.plain(call.in(RCX)), PageType.PT_NDA, HostCall.SHARED, LockObject.PAGE, RCX);
    }
}
