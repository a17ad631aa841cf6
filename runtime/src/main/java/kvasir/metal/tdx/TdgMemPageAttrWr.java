package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/**
 * TDG.MEM.PAGE.ATTR.WR (24): RCX = GPA and level, RDX = attributes, R8 = flags. Without L2 VMs only the attributes that L1
 * has anyway are valid.
 */
final class TdgMemPageAttrWr {
    private TdgMemPageAttrWr() {}

    static void run(GuestCall call) {
        long rcx = call.in(RCX);
        int level = (int) rcx & 7;
        call.check(c -> level <= 2 && (rcx & 0xff8) == 0 && c.tdcs().privateGpa(rcx), Status.OPERAND_INVALID.on(RCX));
        call.check(
                c -> c.in(RDX) == 0 || c.in(RDX) == TdgMemPageAttrRd.L1_ATTRIBUTES, Status.PAGE_ATTR_INVALID.value());
        if (call.failed()) {
            return;
        }
        long gpa = rcx & ~0xfffL;
        var walk = SeptWalk.to(call.memory, call.tdcs(), gpa, 0);
        if (!writable(walk.state())) {
            TdgMemPageAttrRd.violation(call, gpa, level, walk);
            return;
        }
        call.check(c -> walk.level() == level, Status.PAGE_SIZE_MISMATCH.on(walk.level()));
        if (!call.failed()) {
            call.out(RDX, TdgMemPageAttrRd.L1_ATTRIBUTES);
        }
    }

    private static boolean writable(SeptState state) {
        return state.guestWritable() || state == SeptState.PENDING || state == SeptState.PENDING_EXPORTED_DIRTY;
    }
}
