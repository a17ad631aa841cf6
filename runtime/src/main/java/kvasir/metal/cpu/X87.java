package kvasir.metal.cpu;

import java.util.Arrays;

/**
 * Registers of the x87 FPU. Registers are numbered physically: ST(i) is {@code (top + i) & 7}, and MMX register i is the
 * significand of physical register i. Plain state; {@link X87Ops} is what instructions do with it.
 */
final class X87 {
    /** Status word: invalid operation, stack fault, exception summary, condition codes, busy. */
    static final int IE = 1;

    static final int SF = 1 << 6;
    static final int ES = 1 << 7;
    static final int C0 = 1 << 8;
    static final int C1 = 1 << 9;
    static final int C2 = 1 << 10;
    static final int C3 = 1 << 14;
    static final int B = 1 << 15;

    final long[] significand = new long[8];

    /** Sign (bit 15) and biased exponent. */
    final int[] signExponent = new int[8];

    int control;

    /** The status word without TOP. */
    int status;

    int top;

    /** One bit a physical register: set if it is not empty (the abridged tag word of FXSAVE). */
    int valid;

    long instructionPointer;
    long dataPointer;
    int instructionSelector;
    int dataSelector;

    /** The low 11 bits of the last opcode, first byte high. */
    int opcode;

    X87() {
        reset();
        control = 0x37f;
    }

    /** FNINIT: control, status, tags and pointers; the registers keep their contents. */
    void init() {
        control = 0x37f;
        status = 0;
        top = 0;
        valid = 0;
        instructionPointer = 0;
        dataPointer = 0;
        instructionSelector = 0;
        dataSelector = 0;
        opcode = 0;
    }

    /** The initial configuration of XSAVE state component 0. */
    void reset() {
        init();
        Arrays.fill(significand, 0);
        Arrays.fill(signExponent, 0);
    }

    /** Whether it is in the initial configuration of XSAVE state component 0. */
    boolean initial() {
        long any =
                status | top | valid | opcode | instructionPointer | dataPointer | instructionSelector | dataSelector;
        for (int i = 0; i < 8; i++) {
            any |= significand[i] | signExponent[i];
        }
        return any == 0 && control == 0x37f;
    }

    void copyFrom(X87 other) {
        System.arraycopy(other.significand, 0, significand, 0, 8);
        System.arraycopy(other.signExponent, 0, signExponent, 0, 8);
        control = other.control;
        status = other.status;
        top = other.top;
        valid = other.valid;
        instructionPointer = other.instructionPointer;
        dataPointer = other.dataPointer;
        instructionSelector = other.instructionSelector;
        dataSelector = other.dataSelector;
        opcode = other.opcode;
    }

    /** Whether every register is what it is in {@code other}. */
    boolean sameAs(X87 other) {
        return Arrays.equals(significand, other.significand)
                && Arrays.equals(signExponent, other.signExponent)
                && control == other.control
                && status == other.status
                && top == other.top
                && valid == other.valid
                && instructionPointer == other.instructionPointer
                && dataPointer == other.dataPointer
                && instructionSelector == other.instructionSelector
                && dataSelector == other.dataSelector
                && opcode == other.opcode;
    }

    /** The status word with TOP in bits 13:11. */
    int statusWord() {
        return status & ~0x3800 | top << 11;
    }

    /** Sets status word and TOP; ES and B follow the unmasked exceptions. */
    void setStatusWord(int word) {
        top = word >> 11 & 7;
        status = word & 0x477f;
        summarize();
    }

    /** Sets the control word; ES and B follow. */
    void setControl(int word) {
        control = controlBits(word);
        summarize();
    }

    /** A control word as the register keeps it: bit 6 is one, reserved bits are zero. */
    static int controlBits(int word) {
        return word & 0x1f3f | 0x40;
    }

    /** Makes ES and B say whether an unmasked exception is pending. */
    void summarize() {
        boolean pending = (status & ~control & 0x3f) != 0;
        status = pending ? status | ES | B : status & ~(ES | B);
    }

    /** The full tag word: 0 valid, 1 zero, 2 special, 3 empty, two bits a physical register. */
    int tagWord() {
        int word = 0;
        for (int i = 0; i < 8; i++) {
            word |= tag(i) << 2 * i;
        }
        return word;
    }

    private int tag(int physical) {
        if ((valid & 1 << physical) == 0) {
            return 3;
        }
        int exponent = signExponent[physical] & 0x7fff;
        if (exponent == 0 && significand[physical] == 0) {
            return 1;
        }
        return exponent == 0 || exponent == 0x7fff || significand[physical] >= 0 ? 2 : 0;
    }

    /** Sets which registers are empty from a full tag word; the other tags follow from the contents. */
    void setTagWord(int word) {
        valid = 0;
        for (int i = 0; i < 8; i++) {
            valid |= (word >> 2 * i & 3) == 3 ? 0 : 1 << i;
        }
    }

    /** What every MMX instruction does first: TOP becomes 0 and all registers are tagged valid. */
    void enterMmx() {
        top = 0;
        valid = 0xff;
    }

    /** Writes an MMX register: sign and exponent become all ones. */
    void setMmx(int number, long value) {
        significand[number] = value;
        signExponent[number] = 0xffff;
    }
}
