package kvasir.metal.cpu;

import java.math.BigInteger;
import java.util.Map;
import kvasir.metal.cpu.Semantics.Maker;

/** MUL, IMUL, MULX, DIV, IDIV. */
final class MultiplyOps {
    private MultiplyOps() {}

    static void bind(Map<String, Maker> makers) {
        makers.put("MUL", o -> wide(o, false));
        makers.put("IMUL", o -> o.count() == 1 ? wide(o, true) : truncating(o));
        makers.put("MULX", MultiplyOps::mulx);
        makers.put("DIV", o -> divide(o, false));
        makers.put("IDIV", o -> divide(o, true));
    }

    /** The double-width product into AX, DX:AX, EDX:EAX or RDX:RAX. */
    private static Op wide(Operands o, boolean signed) {
        Arg factor = o.arg(0);
        int bits = 8 * factor.bytes;
        return Semantics.op(o, c -> {
            long a = signed ? c.r[Gpr.RAX] << factor.shift >> factor.shift : c.r[Gpr.RAX] & factor.mask;
            long b = signed ? factor.loadSigned(c) : factor.load(c);
            long low = a * b;
            boolean overflow;
            if (bits == 64) {
                long high = signed ? Math.multiplyHigh(a, b) : Math.unsignedMultiplyHigh(a, b);
                c.r[Gpr.RAX] = low;
                c.r[Gpr.RDX] = high;
                overflow = signed ? high != low >> 63 : high != 0;
            } else {
                overflow = signed ? low != low << factor.shift >> factor.shift : low >>> bits != 0;
                if (bits == 8) {
                    c.r[Gpr.RAX] = c.r[Gpr.RAX] & ~0xffffL | low & 0xffff;
                } else {
                    c.r[Gpr.RAX] = c.r[Gpr.RAX] & factor.keepWhole() | low & factor.mask;
                    c.r[Gpr.RDX] = c.r[Gpr.RDX] & factor.keepWhole() | low >>> bits & factor.mask;
                }
            }
            Flags.result(c, low, factor.shift, overflow, overflow);
        });
    }

    private static Op truncating(Operands o) {
        Arg to = o.arg(0);
        Arg first = o.count() == 3 ? o.arg(1) : to;
        Arg second = o.arg(o.count() - 1);
        return Semantics.op(o, c -> {
            long a = first.loadSigned(c);
            long b = second.loadSigned(c);
            long low = a * b;
            boolean overflow =
                    to.bytes == 8 ? Math.multiplyHigh(a, b) != low >> 63 : low != low << to.shift >> to.shift;
            to.store(c, low);
            Flags.result(c, low, to.shift, overflow, overflow);
        });
    }

    private static Op mulx(Operands o) {
        Arg high = o.arg(0);
        Arg low = o.arg(1);
        Arg factor = o.arg(2);
        return Semantics.op(o, c -> {
            long a = c.r[Gpr.RDX] & factor.mask;
            long b = factor.load(c);
            low.store(c, a * b);
            high.store(c, factor.bytes == 8 ? Math.unsignedMultiplyHigh(a, b) : a * b >>> 32);
        });
    }

    private static Op divide(Operands o, boolean signed) {
        Arg divisor = o.arg(0);
        return switch (divisor.bytes) {
            case 8 -> Semantics.op(o, c -> divide128(c, divisor.load(c), signed));
            case 1 ->
                Semantics.op(o, c -> {
                    long dividend = signed ? (short) c.r[Gpr.RAX] : c.r[Gpr.RAX] & 0xffff;
                    long by = signed ? divisor.loadSigned(c) : divisor.load(c);
                    long quotient = quotient(c, dividend, by, signed, divisor);
                    long remainder = dividend - quotient * by;
                    c.r[Gpr.RAX] = c.r[Gpr.RAX] & ~0xffffL | quotient & 0xff | (remainder & 0xff) << 8;
                });
            default ->
                Semantics.op(o, c -> {
                    int bits = 8 * divisor.bytes;
                    long both = (c.r[Gpr.RDX] & divisor.mask) << bits | c.r[Gpr.RAX] & divisor.mask;
                    long dividend = signed && bits == 16 ? (int) both : both;
                    long by = signed ? divisor.loadSigned(c) : divisor.load(c);
                    long quotient = quotient(c, dividend, by, signed, divisor);
                    long remainder = dividend - quotient * by;
                    c.r[Gpr.RAX] = c.r[Gpr.RAX] & divisor.keepWhole() | quotient & divisor.mask;
                    c.r[Gpr.RDX] = c.r[Gpr.RDX] & divisor.keepWhole() | remainder & divisor.mask;
                });
        };
    }

    private static long quotient(Cpu c, long dividend, long divisor, boolean signed, Arg size) {
        if (divisor == 0) {
            throw c.exception(Vector.DE, 0);
        }
        long quotient = signed ? dividend / divisor : Long.divideUnsigned(dividend, divisor);
        boolean fits = signed
                ? quotient == quotient << size.shift >> size.shift && !(dividend == Long.MIN_VALUE && divisor == -1)
                : Long.compareUnsigned(quotient, size.mask) <= 0;
        if (!fits) {
            throw c.exception(Vector.DE, 0);
        }
        return quotient;
    }

    private static void divide128(Cpu c, long divisor, boolean signed) {
        long low = c.r[Gpr.RAX];
        long high = c.r[Gpr.RDX];
        if (divisor == 0) {
            throw c.exception(Vector.DE, 0);
        }
        if (!signed && high == 0) {
            c.r[Gpr.RAX] = Long.divideUnsigned(low, divisor);
            c.r[Gpr.RDX] = Long.remainderUnsigned(low, divisor);
            return;
        }
        if (signed && high == low >> 63 && !(low == Long.MIN_VALUE && divisor == -1)) {
            c.r[Gpr.RAX] = low / divisor;
            c.r[Gpr.RDX] = low % divisor;
            return;
        }
        BigInteger dividend = (signed ? BigInteger.valueOf(high) : unsigned(high))
                .shiftLeft(64)
                .or(unsigned(low));
        BigInteger[] parts = dividend.divideAndRemainder(signed ? BigInteger.valueOf(divisor) : unsigned(divisor));
        boolean fits = signed ? parts[0].bitLength() <= 63 : parts[0].bitLength() <= 64;
        if (!fits) {
            throw c.exception(Vector.DE, 0);
        }
        c.r[Gpr.RAX] = parts[0].longValue();
        c.r[Gpr.RDX] = parts[1].longValue();
    }

    private static BigInteger unsigned(long value) {
        BigInteger big = BigInteger.valueOf(value);
        return value < 0 ? big.add(BigInteger.ONE.shiftLeft(64)) : big;
    }
}
