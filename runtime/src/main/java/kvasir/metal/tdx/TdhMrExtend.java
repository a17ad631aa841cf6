package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/** TDH.MR.EXTEND (16): RCX = GPA of 256 bytes, RDX = TDR. Measures them as they are in the TD's page. */
final class TdhMrExtend {
    /** Bytes that one call measures. */
    static final int CHUNK_BYTES = 256;

    private TdhMrExtend() {}

    static void run(HostCall call) {
        call.zeroDetails();
        call.lockTdr(RDX, HostCall.EXCLUSIVE);
        call.tdcsCheck(OpState.BUILD, HostCall.OpStateLock.NONE);
        call.gpaAligned(CHUNK_BYTES);
        call.walkToLeaf(Status.EPT_ENTRY_NOT_PRESENT.on(RCX));
        call.check(c -> c.entryState() == SeptState.MAPPED, Status.EPT_ENTRY_NOT_PRESENT.value());
        if (call.failed()) {
            return;
        }
        var content = new byte[CHUNK_BYTES];
        call.memory.read(call.entryTarget() + (call.gpa() & Pamt.bytes(call.level()) - 1), content, 0, CHUNK_BYTES);
        call.module.measure(call.tdr(), "MR.EXTEND", "TDH.MR.EXTEND", call.gpa(), content);
    }
}
