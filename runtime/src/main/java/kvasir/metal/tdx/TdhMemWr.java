package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;

import java.util.Set;

/** TDH.MEM.WR (14): RCX = GPA of 8 bytes, RDX = TDR of a debug TD, R8 = data. Out R8 = old data. */
final class TdhMemWr {
    private TdhMemWr() {}

    static void run(HostCall call) {
        TdhMemRd.word(call, OpState.MAY_WRITE, Set.of(SeptState.MAPPED, SeptState.EXPORTED_DIRTY));
        if (call.failed()) {
            return;
        }
        long address = TdhMemRd.address(call);
        call.out(R8, call.memory.read64(address));
        call.memory.write64(address, call.in(R8));
    }
}
