package kvasir.metal.tdx;

/** TDH.MNG.KEY.RECLAIMID (27): kept for compatibility; 1.5 does nothing and answers TDX_SUCCESS. */
final class TdhMngKeyReclaimid {
    private TdhMngKeyReclaimid() {}

    static void run(HostCall call) {
        call.out(Operand.RAX, 0);
    }
}
