package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.Semantics.Maker;
import kvasir.metal.cpu.fp.Rounding;

/** The constants that x87 pushes: stored with more bits than a register has, and rounded as the control word says. */
final class X87Constants {
    private X87Constants() {}

    static void bind(Map<String, Maker> makers) {
        exact(makers, "FLDZ", 0, 0);
        exact(makers, "FLD1", 0x3fff, 0x8000_0000_0000_0000L);
        constant(makers, "FLDL2T", 0x4000, 0xd49a_784b_cd1b_8afeL, false);
        constant(makers, "FLDL2E", 0x3fff, 0xb8aa_3b29_5c17_f0bbL, true);
        constant(makers, "FLDPI", 0x4000, 0xc90f_daa2_2168_c234L, true);
        constant(makers, "FLDLG2", 0x3ffd, 0x9a20_9a84_fbcf_f798L, true);
        constant(makers, "FLDLN2", 0x3ffe, 0xb172_17f7_d1cf_79abL, true);
    }

    private static void exact(Map<String, Maker> makers, String name, int signExponent, long significand) {
        makers.put(
                name,
                o -> X87Ops.onStack(o, f -> {
                    if (f.canPush()) {
                        f.c1(false);
                        f.push(signExponent, significand);
                    }
                }));
    }

    /** A constant cut to 64 bits, and whether what was cut off is more than half of the last of them. */
    private static void constant(
            Map<String, Maker> makers, String name, int signExponent, long truncated, boolean aboveHalf) {
        makers.put(
                name,
                o -> X87Ops.onStack(o, f -> {
                    if (f.canPush()) {
                        Rounding mode = f.math.rounding();
                        boolean up = mode == Rounding.UP || (mode == Rounding.NEAREST && aboveHalf);
                        f.c1(false);
                        f.push(signExponent, up ? truncated + 1 : truncated);
                    }
                }));
    }
}
