package kvasir.metal.cpu;

import kvasir.metal.cpu.isa.Operand;
import kvasir.metal.cpu.isa.Register;

/** A vector register as destination: a legacy form keeps what is above its 128 bits, a VEX form clears it. */
final class VectorResult {
    private final int at;
    private final boolean vex;

    VectorResult(Operands operands, int number) {
        Register register = ((Operand.Reg) operands.instruction.operand(number)).register();
        at = register.number() * 4;
        vex = operands.instruction.encoding().vex().isPresent();
    }

    /** Index of the register's lowest word in {@link SystemState#ymm}. */
    int words() {
        return at;
    }

    /** Writes the low 128 bits. */
    void store(Cpu c, long low, long high) {
        long[] ymm = c.sys.ymm;
        ymm[at] = low;
        ymm[at + 1] = high;
        if (vex) {
            ymm[at + 2] = 0;
            ymm[at + 3] = 0;
        }
    }

    /** After {@code words} words were written: clears the rest as the form says. */
    void clearAbove(Cpu c, int words) {
        if (vex && words == 2) {
            c.sys.ymm[at + 2] = 0;
            c.sys.ymm[at + 3] = 0;
        }
    }

    /** Writes two or four words of {@code from}. */
    void store(Cpu c, long[] from, int words) {
        store(c, from[0], from[1]);
        if (words == 4) {
            c.sys.ymm[at + 2] = from[2];
            c.sys.ymm[at + 3] = from[3];
        }
    }
}
