package kvasir.metal.cpu;

import kvasir.metal.cpu.isa.Instruction;
import kvasir.metal.cpu.isa.Operand;

/**
 * A locked instruction on a processor that exits for bus locks (Intel SDM volume 3, "OS Bus-Lock Detection": a locked
 * access that spans two cache lines). It retires first. Memory types other than write-back, which lock the bus too, are
 * not told apart.
 */
final class BusLock extends BlockEnd {
    private static final int LINE = 64;

    private final Op locked;
    private final Address address;
    private final int bytes;
    private final boolean bits;
    private final int bitRegister;

    /** @param locked what the instruction does */
    BusLock(Operands operands, Op locked) {
        super(operands);
        this.locked = locked;
        Instruction i = operands.instruction;
        var memory = (Operand.Mem) i.operand(place(i));
        address = new Address(memory, operands.end);
        bytes = memory.bytes();
        bits = i.mnemonic().startsWith("BT") && i.operands().size() > 1 && i.operand(1) instanceof Operand.Reg;
        bitRegister = bits ? operands.arg(1).register : 0;
    }

    /** Whether the instruction locks: a LOCK prefix, or an exchange with memory. */
    static boolean mayTake(Instruction i) {
        return place(i) >= 0 && (i.lock() || i.mnemonic().equals("XCHG"));
    }

    private static int place(Instruction i) {
        for (int k = 0; k < i.operands().size(); k++) {
            if (i.operand(k) instanceof Operand.Mem) {
                return k;
            }
        }
        return -1;
    }

    @Override
    void run(Cpu c) {
        boolean straddles = straddles(c);
        locked.run(c);
        if (straddles) {
            c.interpreter.exitAfter(new VmExit.BusLock());
        }
    }

    private boolean straddles(Cpu c) {
        long delta = bits ? (signedBit(c) >> 3) & -bytes : 0;
        return (address.linear(c, delta, bytes, true) & (LINE - 1)) > LINE - bytes;
    }

    /** The bit that a bit instruction names by register; it may lie outside the operand. */
    private long signedBit(Cpu c) {
        int unused = 64 - 8 * bytes;
        return c.r[bitRegister] << unused >> unused;
    }
}
