package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.Semantics.Action;
import kvasir.metal.cpu.Semantics.Maker;

/** Decimal adjustment: AAA, AAS, AAM, AAD, DAA, DAS; and SALC. */
final class DecimalOps {
    private DecimalOps() {}

    static void bind(Map<String, Maker> makers) {
        makers.put("DAA", o -> Semantics.op(o, c -> packed(c, 1)));
        makers.put("DAS", o -> Semantics.op(o, c -> packed(c, -1)));
        makers.put("AAA", o -> Semantics.op(o, c -> unpacked(c, 1)));
        makers.put("AAS", o -> Semantics.op(o, c -> unpacked(c, -1)));
        makers.put("AAM", o -> Semantics.op(o, multiply((int) o.immediate(0) & 0xff)));
        makers.put("AAD", o -> Semantics.op(o, divide((int) o.immediate(0) & 0xff)));
        makers.put("SALC", o -> Semantics.op(o, c -> setLow(c, Flags.carry(c) ? 0xff : 0)));
    }

    private static void setLow(Cpu c, int al) {
        c.r[Gpr.RAX] = c.r[Gpr.RAX] & ~0xffL | al & 0xff;
    }

    private static void packed(Cpu c, int sign) {
        int old = (int) c.r[Gpr.RAX] & 0xff;
        boolean oldCarry = Flags.carry(c);
        int al = old;
        boolean carry = false;
        boolean auxiliary = (old & 15) > 9 || Flags.auxiliary(c);
        if (auxiliary) {
            al += 6 * sign;
            carry = oldCarry || (sign > 0 ? al > 0xff : al < 0);
        }
        if (old > 0x99 || oldCarry) {
            al += 0x60 * sign;
            carry = true;
        } else if (sign > 0) {
            carry = false;
        }
        setLow(c, al);
        Flags.result(c, al, 56, carry, false);
        if (auxiliary) {
            c.flagCarry |= 8;
        }
    }

    private static void unpacked(Cpu c, int sign) {
        boolean adjust = ((int) c.r[Gpr.RAX] & 15) > 9 || Flags.auxiliary(c);
        int ax = (int) c.r[Gpr.RAX] & 0xffff;
        if (adjust) {
            ax = sign > 0 ? ax + 0x106 : ax - 0x106;
        }
        c.r[Gpr.RAX] = c.r[Gpr.RAX] & ~0xffffL | ax & 0xff0f;
        Flags.result(c, ax & 15, 56, adjust, false);
        if (adjust) {
            c.flagCarry |= 8;
        }
    }

    private static Action multiply(int base) {
        return c -> {
            if (base == 0) {
                throw c.exception(Vector.DE, 0);
            }
            int al = (int) c.r[Gpr.RAX] & 0xff;
            c.r[Gpr.RAX] = c.r[Gpr.RAX] & ~0xffffL | (long) (al / base) << 8 | al % base;
            Flags.logic(c, al % base, 56);
        };
    }

    private static Action divide(int base) {
        return c -> {
            int ax = (int) c.r[Gpr.RAX] & 0xffff;
            int al = (ax & 0xff) + (ax >> 8) * base & 0xff;
            c.r[Gpr.RAX] = c.r[Gpr.RAX] & ~0xffffL | al;
            Flags.logic(c, al, 56);
        };
    }
}
