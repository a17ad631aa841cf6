package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R10;
import static kvasir.metal.tdx.Operand.R11;
import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.R9;
import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/** TDH.PHYMEM.PAGE.RDMD (24): RCX = page. Out RCX = page type, RDX = owner, R8 = size, R9 = BEPOCH of PT_REG and PT_EPT. */
final class TdhPhymemPageRdmd {
    private TdhPhymemPageRdmd() {}

    static void run(HostCall call) {
        long page = call.in(RCX);
        for (int register : new int[] {RCX, RDX, R8, R9, R10, R11}) {
            call.out(register, 0);
        }
        call.privateHpa(page, Pamt.SIZE_4K, RCX);
        call.lockPamtAsFound(page, HostCall.SHARED, RCX);
        if (call.failed()) {
            return;
        }
        int size = call.foundSize();
        PageType type = call.pamt.type(page, size);
        call.out(RCX, type.number());
        call.out(RDX, type == PageType.PT_NDA ? 0 : call.pamt.owner(page, size));
        call.out(R8, size);
        call.out(R9, type == PageType.PT_REG || type == PageType.PT_EPT ? call.pamt.bepoch(page, size) : 0);
    }
}
