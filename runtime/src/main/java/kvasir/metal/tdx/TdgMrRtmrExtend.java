package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/** TDG.MR.RTMR.EXTEND (2): RCX = GPA of 48 bytes, 64-byte aligned; RDX = index. RTMR := SHA-384(RTMR, input). */
final class TdgMrRtmrExtend {
    private static final int RTMRS = 4;

    private TdgMrRtmrExtend() {}

    static void run(GuestCall call) {
        call.privateGpa(RCX, 64);
        call.check(c -> Long.compareUnsigned(c.in(RDX), RTMRS) < 0, Status.OPERAND_INVALID.on(RDX));
        call.withRtmrs(true, () -> extend(call));
    }

    private static void extend(GuestCall call) {
        long buffer = call.operand(RCX, PrivateAccess.Kind.READ);
        if (call.failed()) {
            return;
        }
        int index = (int) call.in(RDX);
        var input = new byte[Sha384.DIGEST_BYTES];
        call.memory.read(buffer, input, 0, input.length);
        var joined = new byte[2 * Sha384.DIGEST_BYTES];
        System.arraycopy(call.tdcs().rtmr(index).toArray(), 0, joined, 0, Sha384.DIGEST_BYTES);
        System.arraycopy(input, 0, joined, Sha384.DIGEST_BYTES, Sha384.DIGEST_BYTES);
        byte[] value = Digests.sha384(joined);
        call.tdcs().setBytes(Tdcs.RTMR + Sha384.DIGEST_BYTES * index, value);
        call.module.record(call.tdr(), "RTMR" + index, "TDG.MR.RTMR.EXTEND", call.in(RCX), input, value);
    }
}
