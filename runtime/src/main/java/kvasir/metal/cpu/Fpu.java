package kvasir.metal.cpu;

import kvasir.metal.cpu.CpuidModel.Feature;
import kvasir.metal.cpu.fp.FloatMath;
import kvasir.metal.cpu.fp.Format;

/**
 * The x87 register stack at work: checks for empty and full, results under masked and unmasked exceptions, condition codes
 * (Intel SDM volume 1, chapter 8).
 *
 * <p>An instruction calls {@link #begin}, loads operands into {@link #math}, computes, and ends with one of the methods
 * that deliver a result. Exceptions are noted in the status word and reported by the next waiting instruction.
 */
final class Fpu {
    static final int INDEFINITE_WORD = 0xffff;
    static final long INDEFINITE = 0xc000_0000_0000_0000L;

    private static final int BEFORE = FloatMath.INVALID | FloatMath.DENORMAL | FloatMath.DIVIDE_BY_ZERO;

    final Cpu c;
    final X87 s;
    final FloatMath math = new FloatMath(true);

    private final boolean selectors;
    private final boolean dataAlways;

    Fpu(Cpu c) {
        this.c = c;
        selectors = !c.model.has(Feature.ZERO_FCS_FDS);
        dataAlways = !c.model.has(Feature.FDP_EXCPTN_ONLY);
        s = c.sys.x87;
    }

    /** #MF if an unmasked exception waits; then the arithmetic starts afresh under the control word. */
    void begin() {
        if ((s.status & X87.ES) != 0) {
            throw c.exception(Vector.MF, 0);
        }
        math.controlX87(s.control);
        math.flags = 0;
        math.roundedUp = false;
    }

    /** Physical number of ST(i). */
    int st(int i) {
        return s.top + i & 7;
    }

    boolean empty(int i) {
        return (s.valid & 1 << st(i)) == 0;
    }

    void first(int i) {
        int at = st(i);
        math.firstExtended(s.signExponent[at], s.significand[at]);
    }

    void second(int i) {
        int at = st(i);
        math.secondExtended(s.signExponent[at], s.significand[at]);
    }

    /** Writes ST(i) and tags it as not empty. */
    void set(int i, int signExponent, long significand) {
        int at = st(i);
        s.signExponent[at] = signExponent;
        s.significand[at] = significand;
        s.valid |= 1 << at;
    }

    void pop() {
        s.valid &= ~(1 << s.top);
        s.top = s.top + 1 & 7;
    }

    void push(int signExponent, long significand) {
        s.top = s.top - 1 & 7;
        set(0, signExponent, significand);
    }

    boolean masked(int exceptions) {
        return (exceptions & ~s.control & 0x3f) == 0;
    }

    void condition(int codes) {
        s.status = s.status & ~(X87.C0 | X87.C1 | X87.C2 | X87.C3) | codes;
    }

    void c1(boolean set) {
        s.status = set ? s.status | X87.C1 : s.status & ~X87.C1;
    }

    /** Notes exceptions and whether the result was rounded away from zero. */
    void note(int exceptions) {
        c1(math.roundedUp);
        s.status |= exceptions;
        s.summarize();
    }

    /**
     * Notes {@link #math}'s exceptions for a result in a register.
     *
     * @return whether the result is written: not if one that is found before computing is unmasked
     */
    boolean deliver() {
        int flags = math.flags;
        if ((flags & BEFORE & ~s.control) != 0) {
            math.roundedUp = false;
            note(flags & BEFORE);
            return false;
        }
        note(flags);
        return true;
    }

    /** Whether the exceptions forbid to write a result in memory. */
    boolean refusesStore(int flags) {
        return (flags & ~s.control & (FloatMath.INVALID | FloatMath.OVERFLOW | FloatMath.UNDERFLOW)) != 0;
    }

    /** Notes a stack fault; whether it is masked, so that the indefinite value is the result. */
    boolean stackFault(boolean overflow) {
        s.status |= X87.SF | X87.IE;
        c1(overflow);
        s.summarize();
        return masked(FloatMath.INVALID);
    }

    /** Underflow of an instruction that writes ST(i). */
    boolean underflow(int i) {
        if (!stackFault(false)) {
            return false;
        }
        set(i, INDEFINITE_WORD, INDEFINITE);
        return true;
    }

    /** Whether a value can be pushed; if not, the indefinite value is pushed when stack overflow is masked. */
    boolean canPush() {
        if ((s.valid & 1 << st(7)) == 0) {
            return true;
        }
        if (stackFault(true)) {
            push(INDEFINITE_WORD, INDEFINITE);
        }
        return false;
    }

    /** Pushes {@link #math}'s extended result with the given significand. */
    void pushResult(long significand) {
        int word = math.signExponent;
        if (deliver()) {
            push(word, significand);
        }
    }

    /** Puts {@link #math}'s extended result into ST(i); whether that was done. */
    boolean result(int i, long significand) {
        int word = math.signExponent;
        if (!deliver()) {
            return false;
        }
        set(i, word, significand);
        return true;
    }

    /** Loads {@link #math} with ST(0), as {@code Format.EXTENDED} results are read back. */
    long roundTop() {
        first(0);
        return math.convert(Format.EXTENDED);
    }

    /** Sets the pointers of the last instruction (FOP, FIP, FCS). */
    void instruction(int opcode, long offset) {
        s.opcode = opcode;
        s.instructionPointer = offset;
        s.instructionSelector = selectors ? c.sys.selector[Segment.CS] : 0;
    }

    /** Sets the pointer of the last memory operand (FDP, FDS). */
    void data(int segment, long offset) {
        if (dataAlways || (s.status & X87.ES) != 0) {
            s.dataPointer = offset;
            s.dataSelector = selectors ? c.sys.selector[segment] : 0;
        }
    }
}
