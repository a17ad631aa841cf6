package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.Semantics.Maker;

/** Bit tests and scans, counts, BMI1, BMI2, CRC32. */
final class BitOps {
    private static final int CRC32C = 0x82f6_3b78;

    private BitOps() {}

    private enum Change {
        NONE,
        SET,
        RESET,
        COMPLEMENT
    }

    /** Two operands to a value, with flags that the implementation sets. */
    private interface Binary {
        long apply(Cpu c, long a, long b, Arg to);
    }

    static void bind(Map<String, Maker> makers) {
        makers.put("BT", o -> bitTest(o, Change.NONE));
        makers.put("BTS", o -> bitTest(o, Change.SET));
        makers.put("BTR", o -> bitTest(o, Change.RESET));
        makers.put("BTC", o -> bitTest(o, Change.COMPLEMENT));
        makers.put("BSF", o -> scan(o, true));
        makers.put("BSR", o -> scan(o, false));
        makers.put("TZCNT", o -> count(o, true));
        makers.put("LZCNT", o -> count(o, false));
        makers.put("POPCNT", BitOps::population);
        makers.put(
                "ANDN",
                o -> binary(o, 1, 2, (c, a, b, to) -> {
                    long v = ~a & b;
                    Flags.logic(c, v, to.shift);
                    return v;
                }));
        makers.put("BLSR", o -> lowest(o, (c, a, b, to) -> a & (a - 1)));
        makers.put("BLSMSK", o -> lowest(o, (c, a, b, to) -> a ^ (a - 1)));
        makers.put("BLSI", o -> lowest(o, (c, a, b, to) -> a & -a));
        makers.put("BEXTR", o -> binary(o, 1, 2, BitOps::extract));
        makers.put("BZHI", o -> binary(o, 1, 2, BitOps::zeroHigh));
        makers.put("PEXT", o -> binary(o, 1, 2, (c, a, b, to) -> Long.compress(a, b)));
        makers.put("PDEP", o -> binary(o, 1, 2, (c, a, b, to) -> Long.expand(a, b)));
        makers.put("CRC32", BitOps::crc);
    }

    private static Op bitTest(Operands o, Change change) {
        Arg to = o.arg(0);
        Arg which = o.arg(1);
        int bits = 8 * to.bytes;
        boolean string = to.inMemory() && which.inRegister();
        return Semantics.op(o, c -> {
            long number = which.loadSigned(c);
            long mask = 1L << (number & (bits - 1));
            if (!string) {
                long old = change == Change.NONE ? to.load(c) : to.loadForStore(c);
                if (change != Change.NONE) {
                    to.store(c, changed(old, mask, change));
                }
                Flags.setCarry(c, (old & mask) != 0);
                return;
            }
            long delta = (number >> Integer.numberOfTrailingZeros(bits)) * to.bytes;
            boolean write = change != Change.NONE;
            long linear = to.address.linear(c, delta, to.bytes, write);
            long old = write ? c.mem.loadForStore(linear, to.bytes) : c.mem.load(linear, to.bytes);
            if (write) {
                c.mem.store(linear, to.bytes, changed(old, mask, change));
            }
            Flags.setCarry(c, (old & mask) != 0);
        });
    }

    private static long changed(long old, long mask, Change change) {
        return switch (change) {
            case NONE -> old;
            case SET -> old | mask;
            case RESET -> old & ~mask;
            case COMPLEMENT -> old ^ mask;
        };
    }

    private static void setZero(Cpu c, boolean zero) {
        int status = Flags.status(c);
        Flags.setStatus(c, zero ? status | Bits.ZF : status & ~Bits.ZF);
    }

    private static Op scan(Operands o, boolean forward) {
        Arg to = o.arg(0);
        Arg from = o.arg(1);
        return Semantics.op(o, c -> {
            long v = from.load(c);
            if (v != 0) {
                to.store(c, forward ? Long.numberOfTrailingZeros(v) : 63 - Long.numberOfLeadingZeros(v));
            }
            setZero(c, v == 0);
        });
    }

    private static Op count(Operands o, boolean trailing) {
        Arg to = o.arg(0);
        Arg from = o.arg(1);
        int bits = 8 * to.bytes;
        return Semantics.op(o, c -> {
            long v = from.load(c);
            long n = trailing
                    ? Math.min(bits, Long.numberOfTrailingZeros(v))
                    : Long.numberOfLeadingZeros(v) - (64 - bits);
            to.store(c, n);
            Flags.result(c, n, to.shift, v == 0, false);
        });
    }

    private static Op population(Operands o) {
        Arg to = o.arg(0);
        Arg from = o.arg(1);
        return Semantics.op(o, c -> {
            long v = from.load(c);
            to.store(c, Long.bitCount(v));
            Flags.setStatus(c, v == 0 ? Bits.ZF : 0);
        });
    }

    private static Op binary(Operands o, int first, int second, Binary operation) {
        Arg to = o.arg(0);
        Arg a = o.arg(first);
        Arg b = o.arg(second);
        return Semantics.op(o, c -> to.store(c, operation.apply(c, a.load(c), b.load(c), to)));
    }

    private static Op lowest(Operands o, Binary operation) {
        Arg to = o.arg(0);
        Arg from = o.arg(1);
        boolean isolates = o.instruction.mnemonic().equals("BLSI");
        return Semantics.op(o, c -> {
            long a = from.load(c);
            long v = operation.apply(c, a, 0, to);
            to.store(c, v);
            Flags.result(c, v, to.shift, isolates ? a != 0 : a == 0, false);
        });
    }

    private static long extract(Cpu c, long a, long control, Arg to) {
        int start = (int) control & 0xff;
        int length = (int) (control >> 8) & 0xff;
        long shifted = start >= 64 ? 0 : a >>> start;
        long v = length >= 64 ? shifted : shifted & ((1L << length) - 1);
        Flags.logic(c, v, to.shift);
        return v;
    }

    private static long zeroHigh(Cpu c, long a, long control, Arg to) {
        int from = (int) control & 0xff;
        int bits = 8 * to.bytes;
        long v = from >= bits ? a : a & ((1L << from) - 1);
        Flags.result(c, v, to.shift, from >= bits, false);
        return v;
    }

    private static Op crc(Operands o) {
        Arg to = o.arg(0);
        Arg from = o.arg(1);
        return Semantics.op(o, c -> {
            long data = from.load(c);
            int crc = (int) to.load(c);
            for (int i = 0; i < from.bytes; i++) {
                crc ^= (int) (data >>> (8 * i)) & 0xff;
                for (int bit = 0; bit < 8; bit++) {
                    crc = (crc & 1) != 0 ? crc >>> 1 ^ CRC32C : crc >>> 1;
                }
            }
            to.store(c, crc & 0xffff_ffffL);
        });
    }
}
