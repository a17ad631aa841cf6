package kvasir.metal.cpu;

/** The registers of x87, SSE, AVX and their control, for who saves and loads a processor's whole state. */
public final class ExtendedRegisters {
    private final Cpu cpu;
    private final SystemState sys;

    ExtendedRegisters(Cpu cpu) {
        this.cpu = cpu;
        sys = cpu.sys;
    }

    public int mxcsr() {
        return sys.mxcsr;
    }

    public void setMxcsr(int value) {
        cpu.setMxcsr(value);
    }

    public int pkru() {
        return sys.pkru;
    }

    public void setPkru(int value) {
        sys.pkru = value;
        cpu.flushTranslations();
    }

    /** One of the four words of YMM {@code register}, 0 to 15; word 0 is the lowest. */
    public long ymm(int register, int word) {
        return sys.ymm[4 * register + word];
    }

    public void setYmm(int register, int word, long value) {
        sys.ymm[4 * register + word] = value;
    }

    /** Significand of physical x87 register 0 to 7. */
    public long significand(int register) {
        return sys.x87.significand[register];
    }

    /** Sign and exponent of physical x87 register 0 to 7. */
    public int signExponent(int register) {
        return sys.x87.signExponent[register];
    }

    public void setX87(int register, long significand, int signExponent) {
        sys.x87.significand[register] = significand;
        sys.x87.signExponent[register] = signExponent & 0xffff;
    }

    public int x87Control() {
        return sys.x87.control;
    }

    public int x87Status() {
        return sys.x87.statusWord();
    }

    /** The full tag word of FNSAVE: 0 valid, 1 zero, 2 special, 3 empty, two bits a register. */
    public int x87FullTag() {
        return sys.x87.tagWord();
    }

    /** The abridged tag word of FXSAVE: a bit for each register that is not empty. */
    public int x87Tag() {
        return sys.x87.valid;
    }

    public int x87Opcode() {
        return sys.x87.opcode;
    }

    public long x87InstructionPointer() {
        return sys.x87.instructionPointer;
    }

    public long x87DataPointer() {
        return sys.x87.dataPointer;
    }

    public void setX87Environment(int control, int status, int tag, int opcode, long instruction, long data) {
        sys.x87.setControl(control);
        sys.x87.setStatusWord(status);
        sys.x87.valid = tag & 0xff;
        sys.x87.opcode = opcode;
        sys.x87.instructionPointer = instruction;
        sys.x87.dataPointer = data;
    }
}
