package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.Semantics.Maker;

/** Shifts and rotates: SHL, SHR, SAR, ROL, ROR, RCL, RCR, SHLD, SHRD, SHLX, SHRX, SARX, RORX. */
final class ShiftOps {
    private ShiftOps() {}

    static void bind(Map<String, Maker> makers) {
        makers.put("SHL", o -> new Shift(o, Kind.SHL));
        makers.put("SHR", o -> new Shift(o, Kind.SHR));
        makers.put("SAR", o -> new Shift(o, Kind.SAR));
        makers.put("ROL", o -> new Rotate(o, true));
        makers.put("ROR", o -> new Rotate(o, false));
        makers.put("RCL", o -> new RotateThroughCarry(o, true));
        makers.put("RCR", o -> new RotateThroughCarry(o, false));
        makers.put("SHLD", o -> new DoubleShift(o, true));
        makers.put("SHRD", o -> new DoubleShift(o, false));
        makers.put("SHLX", o -> flagless(o, Kind.SHL));
        makers.put("SHRX", o -> flagless(o, Kind.SHR));
        makers.put("SARX", o -> flagless(o, Kind.SAR));
        makers.put("RORX", ShiftOps::rorx);
    }

    private enum Kind {
        SHL,
        SHR,
        SAR
    }

    /** A destination and a count that is a constant or CL. */
    private abstract static class Counted extends Op {
        final Arg to;
        final Arg count;
        final int bits;
        private final int countMask;

        Counted(Operands o) {
            super(o);
            to = o.arg(0);
            count = o.arg(o.count() - 1);
            bits = 8 * to.bytes;
            countMask = to.bytes == 8 ? 63 : 31;
        }

        final int count(Cpu c) {
            return (int) count.load(c) & countMask;
        }

        final boolean top(long value) {
            return value << to.shift < 0;
        }
    }

    private static final class Shift extends Counted {
        private final Kind kind;

        Shift(Operands o, Kind kind) {
            super(o);
            this.kind = kind;
        }

        @Override
        void run(Cpu c) {
            int n = count(c);
            long a = to.loadForStore(c);
            if (n == 0) {
                to.store(c, a);
                return;
            }
            long v;
            boolean carry;
            boolean overflow;
            switch (kind) {
                case SHL -> {
                    v = a << n;
                    carry = n <= bits && (a >>> (bits - n) & 1) != 0;
                    overflow = top(v) != carry;
                }
                case SHR -> {
                    v = a >>> n;
                    carry = (a >>> (n - 1) & 1) != 0;
                    overflow = top(a);
                }
                default -> {
                    long extended = a << to.shift >> to.shift;
                    v = extended >> n;
                    carry = (extended >> (n - 1) & 1) != 0;
                    overflow = false;
                }
            }
            to.store(c, v);
            Flags.result(c, v, to.shift, carry, overflow);
        }
    }

    private static final class Rotate extends Counted {
        private final boolean left;

        Rotate(Operands o, boolean left) {
            super(o);
            this.left = left;
        }

        @Override
        void run(Cpu c) {
            int n = count(c);
            long a = to.loadForStore(c);
            if (n == 0) {
                to.store(c, a);
                return;
            }
            int by = n % bits;
            long v = a;
            if (by != 0) {
                v = left ? a << by | a >>> (bits - by) : a >>> by | a << (bits - by);
            }
            to.store(c, v);
            boolean carry = left ? (v & 1) != 0 : top(v);
            boolean overflow = left ? top(v) != carry : top(v) != top(v << 1);
            Flags.setCarryOverflow(c, carry, overflow);
        }
    }

    private static final class RotateThroughCarry extends Counted {
        private final boolean left;

        RotateThroughCarry(Operands o, boolean left) {
            super(o);
            this.left = left;
        }

        @Override
        void run(Cpu c) {
            int n = count(c) % (bits + 1);
            long v = to.loadForStore(c);
            if (n == 0) {
                to.store(c, v);
                return;
            }
            boolean carry = Flags.carry(c);
            for (int i = 0; i < n; i++) {
                boolean out = left ? top(v) : (v & 1) != 0;
                long in = carry ? 1 : 0;
                v = (left ? v << 1 | in : v >>> 1 | in << (bits - 1)) & to.mask;
                carry = out;
            }
            to.store(c, v);
            Flags.setCarryOverflow(c, carry, left ? top(v) != carry : top(v) != top(v << 1));
        }
    }

    private static final class DoubleShift extends Counted {
        private final Arg from;
        private final boolean left;

        DoubleShift(Operands o, boolean left) {
            super(o);
            from = o.arg(1);
            this.left = left;
        }

        @Override
        void run(Cpu c) {
            int n = count(c);
            long a = to.loadForStore(c);
            if (n == 0) {
                to.store(c, a);
                return;
            }
            long b = from.load(c);
            if (n > bits) {
                // 16-bit operands only, where the result is undefined: go round through both operands
                n -= bits;
                long swap = a;
                a = b;
                b = swap;
            }
            long v;
            boolean carry;
            if (left) {
                v = a << n | (n == bits ? b : b >>> (bits - n));
                carry = (a >>> (bits - n) & 1) != 0;
            } else {
                v = (n == 64 ? 0 : a >>> n) | b << (bits - n);
                carry = (a >>> (n - 1) & 1) != 0;
            }
            if (n == bits) {
                v = b;
            }
            to.store(c, v);
            Flags.result(c, v, to.shift, carry, top(v) != top(a));
        }
    }

    private static Op flagless(Operands o, Kind kind) {
        Arg to = o.arg(0);
        Arg from = o.arg(1);
        Arg count = o.arg(2);
        int mask = to.bytes == 8 ? 63 : 31;
        return Semantics.op(o, c -> {
            int n = (int) count.load(c) & mask;
            long v = switch (kind) {
                case SHL -> from.load(c) << n;
                case SHR -> from.load(c) >>> n;
                case SAR -> from.loadSigned(c) >> n;
            };
            to.store(c, v);
        });
    }

    private static Op rorx(Operands o) {
        Arg to = o.arg(0);
        Arg from = o.arg(1);
        int n = (int) o.immediate(2);
        return to.bytes == 8
                ? Semantics.op(o, c -> to.store(c, Long.rotateRight(from.load(c), n)))
                : Semantics.op(o, c -> to.store(c, Integer.rotateRight((int) from.load(c), n)));
    }
}
