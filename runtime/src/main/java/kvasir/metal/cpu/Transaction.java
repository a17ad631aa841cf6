package kvasir.metal.cpu;

import kvasir.metal.cpu.Semantics.Action;

/** Runs what changes several registers and may unwind in between: all of it happens, or nothing. */
final class Transaction {
    private final SystemState before = new SystemState();
    private final long[] registers = new long[18];

    /** Memory that was written before the unwinding stays written, as on real processors. CR2 stays too. */
    void run(Cpu c, Action action) {
        before.copyEventStateFrom(c.sys);
        System.arraycopy(c.r, 0, registers, 0, registers.length);
        long ip = c.ip;
        long flagResult = c.flagResult;
        long flagCarry = c.flagCarry;
        try {
            action.run(c);
        } catch (Unwind u) {
            if (u.switched) {
                throw u;
            }
            c.sys.copyEventStateFrom(before);
            System.arraycopy(registers, 0, c.r, 0, registers.length);
            c.ip = ip;
            c.flagResult = flagResult;
            c.flagCarry = flagCarry;
            c.updateMode();
            throw u;
        }
    }
}
