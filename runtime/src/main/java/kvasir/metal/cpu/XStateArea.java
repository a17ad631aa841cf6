package kvasir.metal.cpu;

/**
 * The layout of the FXSAVE image, which is also the legacy region of the XSAVE area (Intel SDM volume 1, 10.5 and 13.4):
 * moves state between registers and memory whose accessibility the caller has checked.
 */
final class XStateArea {
    static final int LEGACY_BYTES = 512;

    private static final int MXCSR = 24;
    private static final int MXCSR_MASK = 28;
    private static final int ST0 = 32;
    private static final int XMM0 = 160;

    private XStateArea() {}

    /**
     * State component 0.
     *
     * @param wide whether instruction and data pointers have 64 bits (REX.W) instead of 32 and a selector
     */
    static void saveX87(Cpu c, long at, boolean wide) {
        X87 x87 = c.sys.x87;
        // AMD processors save the pointers only of a pending exception (APM volume 2, FXSAVE, "error pointers")
        boolean pointers = !c.model.amd() || (x87.status & X87.ES) != 0;
        store(c, at, 0, 4, x87.control | x87.statusWord() << 16);
        store(c, at, 4, 4, x87.valid | (pointers ? x87.opcode << 16 : 0));
        if (!pointers) {
            store(c, at, 8, 8, 0);
            store(c, at, 16, 8, 0);
        } else if (wide) {
            store(c, at, 8, 8, x87.instructionPointer);
            store(c, at, 16, 8, x87.dataPointer);
        } else {
            store(c, at, 8, 8, x87.instructionPointer & 0xffff_ffffL | (long) x87.instructionSelector << 32);
            store(c, at, 16, 8, x87.dataPointer & 0xffff_ffffL | (long) x87.dataSelector << 32);
        }
        for (int i = 0; i < 8; i++) {
            int physical = x87.top + i & 7;
            store(c, at, ST0 + 16 * i, 8, x87.significand[physical]);
            store(c, at, ST0 + 16 * i + 8, 8, x87.signExponent[physical]);
        }
    }

    /** The converse of {@link #saveX87}. */
    static void restoreX87(Cpu c, long at, boolean wide) {
        X87 x87 = c.sys.x87;
        x87.control = X87.controlBits((int) load(c, at, 0, 2));
        x87.setStatusWord((int) load(c, at, 2, 2));
        x87.valid = (int) load(c, at, 4, 1);
        x87.opcode = (int) load(c, at, 6, 2) & 0x7ff;
        if (wide) {
            x87.instructionPointer = load(c, at, 8, 8);
            x87.dataPointer = load(c, at, 16, 8);
            x87.instructionSelector = 0;
            x87.dataSelector = 0;
        } else {
            x87.instructionPointer = load(c, at, 8, 4);
            x87.instructionSelector = (int) load(c, at, 12, 2);
            x87.dataPointer = load(c, at, 16, 4);
            x87.dataSelector = (int) load(c, at, 20, 2);
        }
        for (int i = 0; i < 8; i++) {
            int physical = x87.top + i & 7;
            x87.significand[physical] = load(c, at, ST0 + 16 * i, 8);
            x87.signExponent[physical] = (int) load(c, at, ST0 + 16 * i + 8, 2);
        }
    }

    static void saveMxcsr(Cpu c, long at) {
        store(c, at, MXCSR, 4, c.sys.mxcsr);
        store(c, at, MXCSR_MASK, 4, c.mxcsrMask());
    }

    /** MXCSR as the area has it; #GP(0) if it has reserved bits. */
    static int checkedMxcsr(Cpu c, long at) {
        int value = (int) load(c, at, MXCSR, 4);
        if ((value & ~c.mxcsrMask()) != 0) {
            throw c.exception(Vector.GP, 0);
        }
        return value;
    }

    /** XMM0 to XMM7, in 64-bit mode to XMM15. */
    static void saveXmm(Cpu c, long at) {
        for (int i = 0; i < registers(c); i++) {
            store(c, at, XMM0 + 16 * i, 8, c.sys.ymm[4 * i]);
            store(c, at, XMM0 + 16 * i + 8, 8, c.sys.ymm[4 * i + 1]);
        }
    }

    static void restoreXmm(Cpu c, long at) {
        for (int i = 0; i < registers(c); i++) {
            c.sys.ymm[4 * i] = load(c, at, XMM0 + 16 * i, 8);
            c.sys.ymm[4 * i + 1] = load(c, at, XMM0 + 16 * i + 8, 8);
        }
    }

    /** Vector registers of the present mode. */
    static int registers(Cpu c) {
        return c.codeSize == kvasir.metal.cpu.isa.CodeSize.BITS64 ? 16 : 8;
    }

    static void store(Cpu c, long at, int offset, int bytes, long value) {
        c.mem.store(c.wrap(at + offset), bytes, value);
    }

    static long load(Cpu c, long at, int offset, int bytes) {
        return c.mem.load(c.wrap(at + offset), bytes);
    }
}
