package kvasir.metal.tdx;

/** How a TDCALL ended. */
public sealed interface TdcallResult {
    /** Back in the guest, RIP past the instruction. */
    record Returned(SeamcallRegs regs) implements TdcallResult {}

    /** Left the TD. RIP is past the instruction only for a {@link TdExit.Vmcall}; else the TDCALL runs again. */
    record Left(TdExit exit) implements TdcallResult {}

    /** #VE (vector 20) is due before the TDCALL runs again: an operand lies in a pending page. */
    record VirtualizationException(long gpa, long qualification) implements TdcallResult {}
}
