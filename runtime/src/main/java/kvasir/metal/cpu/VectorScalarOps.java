package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.Semantics.Maker;
import kvasir.metal.cpu.fp.FloatMath.Relation;
import kvasir.metal.cpu.fp.Format;
import kvasir.metal.cpu.fp.Rounding;
import kvasir.metal.cpu.isa.Operand;
import kvasir.metal.cpu.isa.Register;
import kvasir.metal.cpu.simd.StringCompare;

/** Vector instructions whose result is flags or a general register, and conversions that cross the two files. */
final class VectorScalarOps {
    private VectorScalarOps() {}

    static void bind(Map<String, Maker> makers) {
        for (String vex : new String[] {"", "V"}) {
            makers.put(vex + "COMISS", o -> compare(o, Format.SINGLE, true));
            makers.put(vex + "COMISD", o -> compare(o, Format.DOUBLE, true));
            makers.put(vex + "UCOMISS", o -> compare(o, Format.SINGLE, false));
            makers.put(vex + "UCOMISD", o -> compare(o, Format.DOUBLE, false));
            makers.put(vex + "CVTSI2SS", o -> fromInteger(o, Format.SINGLE));
            makers.put(vex + "CVTSI2SD", o -> fromInteger(o, Format.DOUBLE));
            makers.put(vex + "CVTSS2SI", o -> toInteger(o, Format.SINGLE, false));
            makers.put(vex + "CVTSD2SI", o -> toInteger(o, Format.DOUBLE, false));
            makers.put(vex + "CVTTSS2SI", o -> toInteger(o, Format.SINGLE, true));
            makers.put(vex + "CVTTSD2SI", o -> toInteger(o, Format.DOUBLE, true));
            makers.put(vex + "PTEST", o -> test(o, -1));
            makers.put(vex + "PCMPESTRM", o -> strings(o, true, true));
            makers.put(vex + "PCMPESTRI", o -> strings(o, true, false));
            makers.put(vex + "PCMPISTRM", o -> strings(o, false, true));
            makers.put(vex + "PCMPISTRI", o -> strings(o, false, false));
        }
        makers.put("VTESTPS", o -> test(o, 0x8000_0000_8000_0000L));
        makers.put("VTESTPD", o -> test(o, 1L << 63));
        makers.put("VCVTPS2PH", VectorScalarOps::toHalf);
    }

    private static Op compare(Operands o, Format format, boolean signalsQuiet) {
        int first = new VectorResult(o, 0).words();
        var second = new VectorArg(o, 1);
        long mask = format == Format.SINGLE ? 0xffff_ffffL : -1;
        return Semantics.op(o, c -> {
            second.load(c, c.vectorB);
            c.simd.first(format, c.sys.ymm[first] & mask);
            c.simd.second(format, c.vectorB[0] & mask);
            Relation relation = c.simd.compare(signalsQuiet);
            c.concludeSimd();
            Flags.setStatus(
                    c,
                    switch (relation) {
                        case UNORDERED -> Bits.ZF | Bits.PF | Bits.CF;
                        case LESS -> Bits.CF;
                        case EQUAL -> Bits.ZF;
                        case GREATER -> 0;
                    });
        });
    }

    private static Op fromInteger(Operands o, Format format) {
        var result = new VectorResult(o, 0);
        int rest = new VectorResult(o, o.count() - 2).words();
        Arg source = o.arg(o.count() - 1);
        return Semantics.op(o, c -> {
            long value = c.simd.fromInteger(format, source.loadSigned(c));
            c.concludeSimd();
            long low = format == Format.SINGLE ? c.sys.ymm[rest] & -1L << 32 | value : value;
            result.store(c, low, c.sys.ymm[rest + 1]);
        });
    }

    private static Op toInteger(Operands o, Format format, boolean truncates) {
        Arg target = o.arg(0);
        var source = new VectorArg(o, 1);
        long mask = format == Format.SINGLE ? 0xffff_ffffL : -1;
        return Semantics.op(o, c -> {
            source.load(c, c.vectorB);
            Rounding before = c.simd.rounding();
            if (truncates) {
                c.simd.rounding(Rounding.ZERO);
            }
            c.simd.first(format, c.vectorB[0] & mask);
            long value = c.simd.toInteger(target.bytes * 8);
            c.simd.rounding(before);
            c.concludeSimd();
            target.store(c, value);
        });
    }

    /** ZF if no selected bit is set in both, CF if none is set in the second only. */
    private static Op test(Operands o, long mask) {
        int first = new VectorResult(o, 0).words();
        var second = new VectorArg(o, 1);
        boolean wide = o.instruction.operand(0) instanceof Operand.Reg(Register register)
                && register.file() == Register.File.YMM;
        int words = wide ? 4 : 2;
        return Semantics.op(o, c -> {
            second.load(c, c.vectorB);
            long both = 0;
            long onlySecond = 0;
            for (int i = 0; i < words; i++) {
                both |= c.sys.ymm[first + i] & c.vectorB[i];
                onlySecond |= ~c.sys.ymm[first + i] & c.vectorB[i];
            }
            Flags.setStatus(c, ((both & mask) == 0 ? Bits.ZF : 0) | ((onlySecond & mask) == 0 ? Bits.CF : 0));
        });
    }

    private static Op strings(Operands o, boolean explicitLengths, boolean toMask) {
        int first = new VectorResult(o, 0).words();
        var second = new VectorArg(o, 1);
        int control = (int) o.immediate(2) & 0xff;
        boolean vex = o.instruction.encoding().vex().isPresent();
        boolean wideLengths = o.size() == 8;
        return Semantics.op(o, c -> {
            second.load(c, c.vectorB);
            System.arraycopy(c.sys.ymm, first, c.vectorA, 0, 2);
            int lengthA = StringCompare.length(
                    c.vectorA, control, explicitLengths, wideLengths ? c.r[Gpr.RAX] : (int) c.r[Gpr.RAX]);
            int lengthB = StringCompare.length(
                    c.vectorB, control, explicitLengths, wideLengths ? c.r[Gpr.RDX] : (int) c.r[Gpr.RDX]);
            int found = StringCompare.compare(c.vectorA, lengthA, c.vectorB, lengthB, control);
            int elements = StringCompare.elements(control);
            if (toMask) {
                StringCompare.mask(found, control, c.vectorResult);
                c.sys.ymm[0] = c.vectorResult[0];
                c.sys.ymm[1] = c.vectorResult[1];
                if (vex) {
                    c.sys.ymm[2] = 0;
                    c.sys.ymm[3] = 0;
                }
            } else {
                c.r[Gpr.RCX] = StringCompare.index(found, control);
            }
            Flags.setStatus(
                    c,
                    (found != 0 ? Bits.CF : 0)
                            | (lengthB < elements ? Bits.ZF : 0)
                            | (lengthA < elements ? Bits.SF : 0)
                            | ((found & 1) != 0 ? Bits.OF : 0));
        });
    }

    private static Op toHalf(Operands o) {
        int source = new VectorResult(o, 1).words();
        int immediate = (int) o.immediate(2);
        boolean wide = o.instruction.operand(1) instanceof Operand.Reg(Register register)
                && register.file() == Register.File.YMM;
        int count = wide ? 8 : 4;
        boolean toMemory = o.isMemory(0);
        var target = new VectorArg(o, 0);
        return Semantics.op(o, c -> {
            Rounding before = c.simd.rounding();
            if ((immediate & 4) == 0) {
                c.simd.rounding(Rounding.of(immediate));
            }
            long[] d = c.vectorResult;
            d[0] = 0;
            d[1] = 0;
            for (int i = 0; i < count; i++) {
                c.simd.first(Format.SINGLE, c.sys.ymm[source + (i >> 1)] >>> 32 * (i & 1) & 0xffff_ffffL);
                d[i >> 2] |= c.simd.convert(Format.HALF) << 16 * (i & 3);
            }
            c.simd.rounding(before);
            if (toMemory) {
                // a fault of the store comes before #XM, see SDM volume 3, "Priority Among Concurrent Events"
                target.probeWrite(c);
                c.concludeSimd();
                target.storeMemory(c, d, 0);
            } else {
                c.concludeSimd();
                long[] ymm = c.sys.ymm;
                int at = target.words();
                ymm[at] = d[0];
                ymm[at + 1] = d[1];
                ymm[at + 2] = 0;
                ymm[at + 3] = 0;
            }
        });
    }
}
