package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/**
 * TDG.MEM.PAGE.ATTR.RD (23): RCX = GPA. Out RCX = GPA, level in bits 2:0, pending in bit 62; RDX = attributes of the VMs,
 * 16 bits each. L1 has all of R, W, Xs, Xu and cannot lose them.
 */
final class TdgMemPageAttrRd {
    /** R, W, Xs, Xu and VALID. */
    static final long L1_ATTRIBUTES = 0x800f;

    private static final long PENDING = 1L << 62;

    private TdgMemPageAttrRd() {}

    static void run(GuestCall call) {
        call.privateGpa(RCX, 4096);
        if (call.failed()) {
            return;
        }
        long gpa = call.in(RCX);
        var walk = SeptWalk.to(call.memory, call.tdcs(), gpa, 0);
        if (!readable(walk.state())) {
            violation(call, gpa, 0, walk);
            return;
        }
        call.out(
                RCX,
                gpa & -Pamt.bytes(walk.level()) | walk.level() | (walk.state().pending() ? PENDING : 0));
        call.out(RDX, L1_ATTRIBUTES);
    }

    private static boolean readable(SeptState state) {
        return state.leaf() && state != SeptState.BLOCKED && state != SeptState.PENDING_BLOCKED;
    }

    /** TD exit of a page attribute leaf that met an entry it cannot use. */
    static void violation(GuestCall call, long gpa, int level, SeptWalk walk) {
        long information = level
                | (long) walk.level() << 3
                | (long) walk.state().publicNumber() << 6
                | (walk.state().leaf() ? 1L << 14 : 0);
        call.exit(new TdExit.EptViolation(gpa, 2, TdExit.EEQ_PAGE_ATTRIBUTES | information << 32));
    }
}
