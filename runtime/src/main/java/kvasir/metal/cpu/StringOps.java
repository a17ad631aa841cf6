package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.Semantics.Maker;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.metal.memory.NativeMemory;

/**
 * MOVS, STOS, LODS, SCAS, CMPS with REP. A repeated instruction runs a bounded number of iterations at a time and then
 * begins again with the registers advanced, so that interrupts and budgets get in; MOVS and STOS go page by page.
 */
final class StringOps {
    private static final int MOST_ITERATIONS = 4096;
    private static final String[] SUFFIX = {"B", "W", "D", "Q"};

    private StringOps() {}

    static void bind(Map<String, Maker> makers) {
        for (int i = 0; i < 4; i++) {
            int bytes = 1 << i;
            makers.put("MOVS" + SUFFIX[i], o -> new Move(o, bytes));
            makers.put("STOS" + SUFFIX[i], o -> new Fill(o, bytes));
            makers.put("LODS" + SUFFIX[i], o -> new Load(o, bytes));
            makers.put("SCAS" + SUFFIX[i], o -> new Scan(o, bytes));
            makers.put("CMPS" + SUFFIX[i], o -> new Compare(o, bytes));
        }
    }

    /** Addresses, steps and counts of a string instruction. */
    static final class Shape {
        final boolean repeats;
        final int bytes;
        final boolean bits64;
        private final long mask;
        private final int segment;

        Shape(Operands o, int bytes) {
            this.bytes = bytes;
            repeats = o.instruction.repeat() != 0;
            mask = o.instruction.addressSize() == 8 ? -1 : (1L << 8 * o.instruction.addressSize()) - 1;
            segment = o.instruction.segment();
            bits64 = o.codeSize == CodeSize.BITS64;
        }

        long source(Cpu c) {
            return c.linear(segment, c.r[Gpr.RSI] & mask, bytes, false);
        }

        long destination(Cpu c) {
            return c.linear(Segment.ES, c.r[Gpr.RDI] & mask, bytes, true);
        }

        long destinationToRead(Cpu c) {
            return c.linear(Segment.ES, c.r[Gpr.RDI] & mask, bytes, false);
        }

        long count(Cpu c) {
            return c.r[Gpr.RCX] & mask;
        }

        /** Takes one from the count and gives what is left. */
        long countDown(Cpu c) {
            add(c, Gpr.RCX, -1);
            return count(c);
        }

        void advance(Cpu c, int register) {
            add(c, register, (c.sys.flags & Bits.DF) != 0 ? -bytes : bytes);
        }

        void add(Cpu c, int register, long delta) {
            long value = (c.r[register] + delta) & mask;
            c.r[register] = mask == 0xffff ? c.r[register] & ~0xffffL | value : value;
        }

        /** Elements that fit from {@code linear} to the end of its page. */
        long toPageEnd(long linear) {
            return (4096 - (linear & 4095)) / bytes;
        }

        /** Whether whole pages may be handled at once: 64-bit addresses, upwards, no wrap. */
        boolean bulk(Cpu c) {
            return repeats && bits64 && mask == -1 && (c.sys.flags & Bits.DF) == 0 && !c.mem.busAttached();
        }
    }

    /** A string instruction: one iteration, repeated as its prefix says. */
    private abstract static class Repeated extends BlockEnd {
        final Shape shape;
        final int bytes;
        private final int start;
        private final int repeat;

        Repeated(Operands o, int bytes) {
            super(o);
            shape = new Shape(o, bytes);
            this.bytes = bytes;
            start = o.start();
            repeat = o.instruction.repeat();
        }

        /** One element. */
        abstract void once(Cpu c);

        /** Whether ZF ends the repetition. */
        boolean compares() {
            return false;
        }

        /** Handles many elements at once; the number handled, 0 if it cannot. */
        long many(Cpu c, long count) {
            return 0;
        }

        @Override
        final void run(Cpu c) {
            if (!shape.repeats) {
                once(c);
                return;
            }
            Breakpoints b = c.breakpoints;
            boolean single = (c.sys.flags & Bits.TF) != 0 || b.steps || (b.alone && b.data);
            int most = c.mem.busAttached() || single ? 1 : MOST_ITERATIONS;
            boolean bulk = !single && shape.bulk(c);
            for (int i = 0; i < most; i++) {
                long count = shape.count(c);
                if (count == 0) {
                    return;
                }
                long handled = bulk ? many(c, count) : 0;
                if (handled != 0) {
                    shape.add(c, Gpr.RCX, -handled);
                    continue;
                }
                once(c);
                shape.countDown(c);
                if (compares() && Flags.zero(c) == (repeat == 0xf2)) {
                    return;
                }
            }
            if (shape.count(c) != 0) {
                // an event between two iterations pushes RF set, so that a breakpoint here is not met at each of them
                c.ip = (c.r[Address.BLOCK] + start) & c.ipMask;
                c.sys.flags |= Bits.RF;
                c.attention = true;
            }
        }
    }

    private static final class Move extends Repeated {
        Move(Operands o, int bytes) {
            super(o, bytes);
        }

        @Override
        void once(Cpu c) {
            long value = c.mem.load(shape.source(c), bytes);
            c.mem.store(shape.destination(c), bytes, value);
            shape.advance(c, Gpr.RSI);
            shape.advance(c, Gpr.RDI);
        }

        @Override
        long many(Cpu c, long count) {
            long from = shape.source(c);
            long to = shape.destination(c);
            long n = Math.min(count, Math.min(shape.toPageEnd(from), shape.toPageEnd(to)));
            if (n <= 1) {
                return 0;
            }
            long source = c.mem.hostForRead(from);
            long target = c.mem.hostForWrite(to);
            source = c.mem.hostForRead(from);
            long length = n * bytes;
            boolean overlaps = target > source && target < source + length;
            if (source == 0 || target == 0 || overlaps) {
                return 0;
            }
            NativeMemory.copy(source, target, length);
            shape.add(c, Gpr.RSI, length);
            shape.add(c, Gpr.RDI, length);
            return n;
        }
    }

    private static final class Fill extends Repeated {
        Fill(Operands o, int bytes) {
            super(o, bytes);
        }

        @Override
        void once(Cpu c) {
            c.mem.store(shape.destination(c), bytes, c.r[Gpr.RAX]);
            shape.advance(c, Gpr.RDI);
        }

        @Override
        long many(Cpu c, long count) {
            long to = shape.destination(c);
            long n = Math.min(count, shape.toPageEnd(to));
            long target = n <= 1 ? 0 : c.mem.hostForWrite(to);
            if (target == 0) {
                return 0;
            }
            long value = c.r[Gpr.RAX];
            byte low = (byte) value;
            if (bytes == 1) {
                NativeMemory.fill(target, n, low);
            } else {
                for (long i = 0; i < n; i++) {
                    switch (bytes) {
                        case 2 -> NativeMemory.put16(target + 2 * i, (short) value);
                        case 4 -> NativeMemory.put32(target + 4 * i, (int) value);
                        default -> NativeMemory.put64(target + 8 * i, value);
                    }
                }
            }
            shape.add(c, Gpr.RDI, n * bytes);
            return n;
        }
    }

    private static final class Load extends Repeated {
        private final Arg accumulator;

        Load(Operands o, int bytes) {
            super(o, bytes);
            accumulator = accumulator(bytes);
        }

        @Override
        void once(Cpu c) {
            accumulator.store(c, c.mem.load(shape.source(c), bytes));
            shape.advance(c, Gpr.RSI);
        }
    }

    private static Arg accumulator(int bytes) {
        return new Arg(new kvasir.metal.cpu.isa.Operand.Reg(kvasir.metal.cpu.isa.Register.general(bytes, Gpr.RAX)), 0);
    }

    private static final class Scan extends Repeated {
        private final Arg accumulator;

        Scan(Operands o, int bytes) {
            super(o, bytes);
            accumulator = accumulator(bytes);
        }

        @Override
        void once(Cpu c) {
            long b = c.mem.load(shape.destinationToRead(c), bytes);
            long a = accumulator.load(c);
            Flags.sub(c, a, b, a - b, accumulator.shift);
            shape.advance(c, Gpr.RDI);
        }

        @Override
        boolean compares() {
            return true;
        }
    }

    private static final class Compare extends Repeated {
        Compare(Operands o, int bytes) {
            super(o, bytes);
        }

        @Override
        void once(Cpu c) {
            // where both fault, processors tell of the second operand
            long b = c.mem.load(shape.destinationToRead(c), bytes);
            long a = c.mem.load(shape.source(c), bytes);
            Flags.sub(c, a, b, a - b, 64 - 8 * bytes);
            shape.advance(c, Gpr.RSI);
            shape.advance(c, Gpr.RDI);
        }

        @Override
        boolean compares() {
            return true;
        }
    }
}
