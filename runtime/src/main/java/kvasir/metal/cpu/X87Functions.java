package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.Semantics.Maker;
import kvasir.metal.cpu.fp.FloatMath;
import kvasir.metal.cpu.fp.Format;
import kvasir.metal.cpu.fp.Transcendental;

/** x87: square root, rounding, scaling, remainders, and the transcendental functions. */
final class X87Functions {
    /** Below 2 to the power of this, FSIN and its kin take an argument. */
    private static final int TRIGONOMETRIC_EXPONENT = 0x3fff + 63;

    private X87Functions() {}

    /** Computes from operands that are loaded in {@link FloatMath}. */
    private interface Function {
        long apply(FloatMath math);
    }

    static void bind(Map<String, Maker> makers) {
        makers.put("FSQRT", o -> ofTop(o, math -> math.squareRoot(Format.EXTENDED)));
        makers.put("FRNDINT", o -> ofTop(o, math -> math.roundToIntegral(Format.EXTENDED, false)));
        makers.put(
                "F2XM1",
                o -> ofTop(o, math -> {
                    math.exact();
                    return math.transcendental(Transcendental.F2XM1);
                }));
        makers.put("FSCALE", o -> X87Ops.onStack(o, X87Functions::scale));
        makers.put("FXTRACT", o -> X87Ops.onStack(o, X87Functions::extract));
        makers.put("FPREM", o -> X87Ops.onStack(o, f -> remainder(f, false)));
        makers.put("FPREM1", o -> X87Ops.onStack(o, f -> remainder(f, true)));
        makers.put("FYL2X", o -> ofTwo(o, Transcendental.FYL2X));
        makers.put("FYL2XP1", o -> ofTwo(o, Transcendental.FYL2XP1));
        makers.put("FPATAN", o -> ofTwo(o, Transcendental.FPATAN));
        makers.put("FSIN", o -> X87Ops.onStack(o, f -> trigonometric(f, Transcendental.FSIN)));
        makers.put("FCOS", o -> X87Ops.onStack(o, f -> trigonometric(f, Transcendental.FCOS)));
        makers.put("FSINCOS", o -> X87Ops.onStack(o, X87Functions::sineAndCosine));
        makers.put("FPTAN", o -> X87Ops.onStack(o, X87Functions::tangent));
    }

    private static Op ofTop(Operands o, Function function) {
        return X87Ops.onStack(o, f -> {
            if (f.empty(0)) {
                f.underflow(0);
                return;
            }
            f.first(0);
            f.result(0, function.apply(f.math));
        });
    }

    /** A function of ST0 and ST1 that replaces both by its result. */
    private static Op ofTwo(Operands o, Transcendental function) {
        return X87Ops.onStack(o, f -> {
            boolean done;
            if (f.empty(0) || f.empty(1)) {
                done = f.underflow(1);
            } else {
                f.first(0);
                f.second(1);
                f.math.exact();
                done = f.result(1, f.math.transcendental(function));
            }
            if (done) {
                f.pop();
            }
        });
    }

    private static void scale(Fpu f) {
        if (f.empty(0) || f.empty(1)) {
            f.underflow(0);
            return;
        }
        f.first(0);
        f.second(1);
        f.math.exact();
        f.result(0, f.math.scale());
    }

    private static void extract(Fpu f) {
        if (f.empty(0)) {
            if (f.underflow(0)) {
                f.push(Fpu.INDEFINITE_WORD, Fpu.INDEFINITE);
            }
            return;
        }
        if ((f.s.valid & 1 << f.st(7)) != 0) {
            if (f.stackFault(true)) {
                f.set(0, Fpu.INDEFINITE_WORD, Fpu.INDEFINITE);
                f.push(Fpu.INDEFINITE_WORD, Fpu.INDEFINITE);
            }
            return;
        }
        f.first(0);
        f.math.exact();
        long significand = f.math.extractSignificand();
        int word = f.math.signExponent;
        long exponent = f.math.extractExponent();
        if (f.result(0, exponent)) {
            f.push(word, significand);
        }
    }

    private static void remainder(Fpu f, boolean nearest) {
        f.s.status &= ~X87.C2;
        if (f.empty(0) || f.empty(1)) {
            f.underflow(0);
            return;
        }
        f.first(0);
        f.second(1);
        f.math.exact();
        long significand = f.math.remainder(nearest);
        int quotient = f.math.quotient;
        boolean number = (f.math.signExponent & 0x7fff) != 0x7fff;
        if (f.result(0, significand) && number) {
            int bits = quotient < 0
                    ? X87.C2
                    : ((quotient & 1) != 0 ? X87.C1 : 0)
                            | ((quotient & 2) != 0 ? X87.C3 : 0)
                            | ((quotient & 4) != 0 ? X87.C0 : 0);
            f.condition(bits);
        }
    }

    /** Whether the argument is too large for FSIN and its kin: C2 is set and nothing else happens. */
    private static boolean outOfRange(Fpu f) {
        int exponent = f.s.signExponent[f.st(0)] & 0x7fff;
        boolean beyond = exponent >= TRIGONOMETRIC_EXPONENT && exponent != 0x7fff && f.s.significand[f.st(0)] < 0;
        f.s.status = beyond ? f.s.status & ~X87.C1 | X87.C2 : f.s.status;
        return beyond;
    }

    private static void trigonometric(Fpu f, Transcendental function) {
        f.s.status &= ~X87.C2;
        if (f.empty(0)) {
            f.underflow(0);
            return;
        }
        if (outOfRange(f)) {
            return;
        }
        f.first(0);
        f.math.exact();
        f.result(0, f.math.transcendental(function));
    }

    private static void sineAndCosine(Fpu f) {
        pushing(f, Transcendental.FSIN, false);
    }

    private static void tangent(Fpu f) {
        pushing(f, Transcendental.FPTAN, true);
    }

    /** ST0 becomes one function of itself, and another, or 1, is pushed. */
    private static void pushing(Fpu f, Transcendental function, boolean one) {
        f.s.status &= ~X87.C2;
        if (f.empty(0)) {
            if (f.underflow(0)) {
                f.push(Fpu.INDEFINITE_WORD, Fpu.INDEFINITE);
            }
            return;
        }
        if ((f.s.valid & 1 << f.st(7)) != 0) {
            if (f.stackFault(true)) {
                f.set(0, Fpu.INDEFINITE_WORD, Fpu.INDEFINITE);
                f.push(Fpu.INDEFINITE_WORD, Fpu.INDEFINITE);
            }
            return;
        }
        if (outOfRange(f)) {
            return;
        }
        f.first(0);
        f.math.exact();
        long pushed = one ? 0x8000_0000_0000_0000L : f.math.transcendental(Transcendental.FCOS);
        int pushedWord = one ? 0x3fff : f.math.signExponent;
        long result = f.math.transcendental(function);
        boolean nan = (f.math.signExponent & 0x7fff) == 0x7fff;
        int word = f.math.signExponent;
        if (f.result(0, result)) {
            f.push(one && nan ? word : pushedWord, one && nan ? result : pushed);
        }
    }
}
