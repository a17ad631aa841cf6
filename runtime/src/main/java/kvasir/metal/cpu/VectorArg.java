package kvasir.metal.cpu;

import kvasir.metal.cpu.isa.Operand;
import kvasir.metal.cpu.isa.Register;

/** A vector operand ready to be read and written: an XMM or YMM register, or memory. */
final class VectorArg {
    private static final int IN_MEMORY = -1;

    /** Index of the register's lowest word in {@link SystemState#ymm}, or {@link #IN_MEMORY}. */
    private final int at;

    private final Arg memory;
    private final int bytes;
    /** MXCSR.MM, which AMD's processors have. */
    private static final int MISALIGNED_MASK = 1 << 17;

    private final boolean aligned;

    /** Whether MXCSR.MM lifts the demand for alignment: not from moves that are there to be aligned (APM 1, 4.3.2). */
    private final boolean maskable;

    /** Whether AMD's processors take it unaligned. */
    private final boolean lax;

    VectorArg(Operands operands, int number) {
        Operand operand = operands.instruction.operand(number);
        memory = operands.arg(number);
        bytes = memory.bytes;
        lax = operands.instruction.encoding().is("alignedintel");
        String mnemonic = operands.instruction.mnemonic();
        maskable = !mnemonic.startsWith("MOVAP") && !mnemonic.equals("MOVDQA") && !mnemonic.startsWith("MOVNT");
        aligned = lax || operands.instruction.encoding().is("aligned");
        at = operand instanceof Operand.Reg(Register register) ? register.number() * 4 : IN_MEMORY;
    }

    boolean inRegister() {
        return at != IN_MEMORY;
    }

    /** Index of the register's lowest word in {@link SystemState#ymm}. */
    int words() {
        return at;
    }

    /** Reads it: a register whole, of memory as much as the operand has, zero extended to 16 bytes. */
    void load(Cpu c, long[] to) {
        if (at >= 0) {
            long[] ymm = c.sys.ymm;
            to[0] = ymm[at];
            to[1] = ymm[at + 1];
            to[2] = ymm[at + 2];
            to[3] = ymm[at + 3];
        } else if (bytes >= 16) {
            c.mem.loadWords(linear(c, false), bytes >> 3, to, 0);
        } else {
            to[0] = c.mem.load(memory.address.linear(c, bytes, false), bytes);
            to[1] = 0;
        }
    }

    /** Whether it is memory of at least 16 bytes. */
    boolean wideMemory() {
        return at < 0 && bytes >= 16;
    }

    /** Reads {@link #wideMemory} straight into a register. */
    void loadRegister(Cpu c, int words) {
        c.mem.loadWords(linear(c, false), bytes >> 3, c.sys.ymm, words);
    }

    /** Writes memory of 4, 8, 16 or 32 bytes. */
    void storeMemory(Cpu c, long[] from, int first) {
        if (bytes >= 16) {
            c.mem.storeWords(linear(c, true), bytes >> 3, from, first);
        } else {
            c.mem.store(memory.address.linear(c, bytes, true), bytes, from[first]);
        }
    }

    /** Unwinds if memory would refuse the write. */
    void probeWrite(Cpu c) {
        c.mem.probeWrite(linear(c, true), bytes);
    }

    private long linear(Cpu c, boolean write) {
        long linear = memory.address.linear(c, bytes, write);
        if (aligned && (linear & bytes - 1) != 0 && !(lax && c.model.amd())) {
            if (!maskable || (c.sys.mxcsr & MISALIGNED_MASK) == 0) {
                throw c.exception(Vector.GP, 0);
            }
        }
        return linear;
    }
}
