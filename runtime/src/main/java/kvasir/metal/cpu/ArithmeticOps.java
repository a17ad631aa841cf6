package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.Semantics.Maker;

/** ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, TEST, INC, DEC, NEG, NOT, XADD, CMPXCHG, ADCX, ADOX. */
final class ArithmeticOps {
    private ArithmeticOps() {}

    static void bind(Map<String, Maker> makers) {
        makers.put("ADD", o -> simple(o) ? new Add(o) : new General(o, Kind.ADD));
        makers.put("SUB", o -> simple(o) ? new Sub(o) : new General(o, Kind.SUB));
        makers.put("AND", o -> simple(o) ? new And(o) : new General(o, Kind.AND));
        makers.put("XOR", o -> simple(o) ? new Xor(o) : new General(o, Kind.XOR));
        makers.put("OR", o -> simple(o) ? new Or(o) : new General(o, Kind.OR));
        makers.put("ADC", o -> new General(o, Kind.ADC));
        makers.put("SBB", o -> new General(o, Kind.SBB));
        makers.put("CMP", o -> simple(o) ? new Cmp(o) : new Compare(o));
        makers.put("TEST", o -> simple(o) ? new Test(o) : new TestGeneral(o));
        makers.put("INC", o -> o.arg(0).plainRegister() ? new Increment(o) : new Step(o, 1));
        makers.put("DEC", o -> o.arg(0).plainRegister() ? new Decrement(o) : new Step(o, -1));
        makers.put("NEG", ArithmeticOps::negate);
        makers.put("NOT", ArithmeticOps::invert);
        makers.put("XADD", ArithmeticOps::exchangeAdd);
        makers.put("CMPXCHG", ArithmeticOps::compareExchange);
        makers.put("CMPXCHG8B", o -> compareExchangePair(o, 4));
        makers.put("CMPXCHG16B", o -> compareExchangePair(o, 8));
        makers.put("ADCX", o -> addWithFlag(o, true));
        makers.put("ADOX", o -> addWithFlag(o, false));
    }

    private enum Kind {
        ADD,
        OR,
        ADC,
        SBB,
        AND,
        SUB,
        XOR
    }

    private static boolean simple(Operands o) {
        Arg from = o.arg(1);
        return o.arg(0).plainRegister() && (from.plainRegister() || (!from.inRegister() && !from.inMemory()));
    }

    /** A register, and a register or a constant (then {@code from} is the zero register). */
    private abstract static class Pair extends Op {
        final int to;
        final int from;
        final long constant;
        final int shift;
        final long mask;
        final long keep;

        Pair(Operands o) {
            super(o);
            Arg target = o.arg(0);
            Arg source = o.arg(1);
            to = target.register;
            from = source.inRegister() ? source.register : Address.ZERO;
            constant = source.immediate;
            shift = target.shift;
            mask = target.mask;
            keep = target.keep;
        }
    }

    private static final class Add extends Pair {
        Add(Operands o) {
            super(o);
        }

        @Override
        void run(Cpu c) {
            long a = c.r[to];
            long b = c.r[from] + constant;
            long v = a + b;
            Flags.add(c, a, b, v, shift);
            c.r[to] = a & keep | v & mask;
        }
    }

    private static final class Sub extends Pair {
        Sub(Operands o) {
            super(o);
        }

        @Override
        void run(Cpu c) {
            long a = c.r[to];
            long b = c.r[from] + constant;
            long v = a - b;
            Flags.sub(c, a, b, v, shift);
            c.r[to] = a & keep | v & mask;
        }
    }

    private static final class And extends Pair {
        And(Operands o) {
            super(o);
        }

        @Override
        void run(Cpu c) {
            long a = c.r[to];
            long v = a & (c.r[from] + constant);
            Flags.logic(c, v, shift);
            c.r[to] = a & keep | v & mask;
        }
    }

    private static final class Or extends Pair {
        Or(Operands o) {
            super(o);
        }

        @Override
        void run(Cpu c) {
            long a = c.r[to];
            long v = a | (c.r[from] + constant);
            Flags.logic(c, v, shift);
            c.r[to] = a & keep | v & mask;
        }
    }

    private static final class Xor extends Pair {
        Xor(Operands o) {
            super(o);
        }

        @Override
        void run(Cpu c) {
            long a = c.r[to];
            long v = a ^ (c.r[from] + constant);
            Flags.logic(c, v, shift);
            c.r[to] = a & keep | v & mask;
        }
    }

    private static final class Cmp extends Pair {
        Cmp(Operands o) {
            super(o);
        }

        @Override
        void run(Cpu c) {
            long a = c.r[to];
            long b = c.r[from] + constant;
            Flags.sub(c, a, b, a - b, shift);
        }
    }

    private static final class Test extends Pair {
        Test(Operands o) {
            super(o);
        }

        @Override
        void run(Cpu c) {
            Flags.logic(c, c.r[to] & (c.r[from] + constant), shift);
        }
    }

    private static final class General extends Op {
        private final Arg to;
        private final Arg from;
        private final Kind kind;

        General(Operands o, Kind kind) {
            super(o);
            to = o.arg(0);
            from = o.arg(1);
            this.kind = kind;
        }

        @Override
        void run(Cpu c) {
            long b = from.load(c);
            long a = to.loadForStore(c);
            boolean carry = Flags.carry(c);
            long v = switch (kind) {
                case ADD -> a + b;
                case OR -> a | b;
                case ADC -> a + b + (carry ? 1 : 0);
                case SBB -> a - b - (carry ? 1 : 0);
                case AND -> a & b;
                case SUB -> a - b;
                case XOR -> a ^ b;
            };
            to.store(c, v);
            switch (kind) {
                case ADD, ADC -> Flags.add(c, a, b, v, to.shift);
                case SUB, SBB -> Flags.sub(c, a, b, v, to.shift);
                case AND, OR, XOR -> Flags.logic(c, v, to.shift);
            }
        }
    }

    private static final class Compare extends Op {
        private final Arg left;
        private final Arg right;

        Compare(Operands o) {
            super(o);
            left = o.arg(0);
            right = o.arg(1);
        }

        @Override
        void run(Cpu c) {
            long a = left.load(c);
            long b = right.load(c);
            Flags.sub(c, a, b, a - b, left.shift);
        }
    }

    private static final class TestGeneral extends Op {
        private final Arg left;
        private final Arg right;

        TestGeneral(Operands o) {
            super(o);
            left = o.arg(0);
            right = o.arg(1);
        }

        @Override
        void run(Cpu c) {
            Flags.logic(c, left.load(c) & right.load(c), left.shift);
        }
    }

    /** INC and DEC of memory and of AH to BH. */
    private static final class Step extends Op {
        private final Arg to;
        private final long delta;

        Step(Operands o, long delta) {
            super(o);
            to = o.arg(0);
            this.delta = delta;
        }

        @Override
        void run(Cpu c) {
            long a = to.loadForStore(c);
            long v = a + delta;
            to.store(c, v);
            long before = c.flagCarry;
            if (delta > 0) {
                Flags.add(c, a, 1, v, to.shift);
            } else {
                Flags.sub(c, a, 1, v, to.shift);
            }
            Flags.keepCarry(c, before);
        }
    }

    /** INC and DEC of a whole register. */
    private abstract static class RegisterStep extends Op {
        final int to;
        final int shift;
        final long mask;
        final long keep;

        RegisterStep(Operands o) {
            super(o);
            Arg target = o.arg(0);
            to = target.register;
            shift = target.shift;
            mask = target.mask;
            keep = target.keep;
        }
    }

    private static final class Increment extends RegisterStep {
        Increment(Operands o) {
            super(o);
        }

        @Override
        void run(Cpu c) {
            long a = c.r[to];
            long before = c.flagCarry;
            Flags.add(c, a, 1, a + 1, shift);
            Flags.keepCarry(c, before);
            c.r[to] = a & keep | (a + 1) & mask;
        }
    }

    private static final class Decrement extends RegisterStep {
        Decrement(Operands o) {
            super(o);
        }

        @Override
        void run(Cpu c) {
            long a = c.r[to];
            long before = c.flagCarry;
            Flags.sub(c, a, 1, a - 1, shift);
            Flags.keepCarry(c, before);
            c.r[to] = a & keep | (a - 1) & mask;
        }
    }

    private static Op negate(Operands o) {
        Arg to = o.arg(0);
        return Semantics.op(o, c -> {
            long a = to.loadForStore(c);
            to.store(c, -a);
            Flags.sub(c, 0, a, -a, to.shift);
        });
    }

    private static Op invert(Operands o) {
        Arg to = o.arg(0);
        return Semantics.op(o, c -> to.store(c, ~to.loadForStore(c)));
    }

    private static Op exchangeAdd(Operands o) {
        Arg to = o.arg(0);
        Arg from = o.arg(1);
        return Semantics.op(o, c -> {
            long a = to.loadForStore(c);
            long b = from.load(c);
            long v = a + b;
            if (to.inMemory()) {
                to.store(c, v);
                from.store(c, a);
            } else {
                from.store(c, a);
                to.store(c, v);
            }
            Flags.add(c, a, b, v, to.shift);
        });
    }

    private static Op compareExchange(Operands o) {
        Arg to = o.arg(0);
        Arg from = o.arg(1);
        return Semantics.op(o, c -> {
            long old = to.loadForStore(c);
            long accumulator = c.r[Gpr.RAX] & to.mask;
            if (old == accumulator) {
                to.store(c, from.load(c));
            } else {
                if (to.inMemory()) {
                    to.store(c, old);
                }
                c.r[Gpr.RAX] = c.r[Gpr.RAX] & to.keepWhole() | old;
            }
            Flags.sub(c, accumulator, old, accumulator - old, to.shift);
        });
    }

    private static Op compareExchangePair(Operands o, int half) {
        Address address = o.arg(0).address;
        Arg low = new Arg(new kvasir.metal.cpu.isa.Operand.Reg(kvasir.metal.cpu.isa.Register.general(half, 0)), 0);
        return Semantics.op(o, c -> {
            long linear = address.linear(c, 2 * half, true);
            if (half == 8 && (linear & 15) != 0) {
                throw c.exception(Vector.GP, 0);
            }
            if (half == 4) {
                compareExchange8(c, linear);
                return;
            }
            long second = c.wrap(linear + half);
            c.mem.probeWrite(linear, 2 * half);
            long oldLow = c.mem.load(linear, half);
            long oldHigh = c.mem.load(second, half);
            boolean equal = oldLow == (c.r[Gpr.RAX] & low.mask) && oldHigh == (c.r[Gpr.RDX] & low.mask);
            c.mem.store(linear, half, equal ? c.r[Gpr.RBX] : oldLow);
            c.mem.store(second, half, equal ? c.r[Gpr.RCX] : oldHigh);
            if (!equal) {
                c.r[Gpr.RAX] = oldLow;
                c.r[Gpr.RDX] = oldHigh;
            }
            int status = Flags.status(c);
            Flags.setStatus(c, equal ? status | Bits.ZF : status & ~Bits.ZF);
        });
    }

    private static void compareExchange8(Cpu c, long linear) {
        long low = 0xffff_ffffL;
        long old = c.mem.loadForStore(linear, 8);
        boolean equal = old == (c.r[Gpr.RDX] << 32 | c.r[Gpr.RAX] & low);
        c.mem.store(linear, 8, equal ? c.r[Gpr.RCX] << 32 | c.r[Gpr.RBX] & low : old);
        if (!equal) {
            c.r[Gpr.RAX] = old & low;
            c.r[Gpr.RDX] = old >>> 32;
        }
        int status = Flags.status(c);
        Flags.setStatus(c, equal ? status | Bits.ZF : status & ~Bits.ZF);
    }

    private static Op addWithFlag(Operands o, boolean useCarry) {
        Arg to = o.arg(0);
        Arg from = o.arg(1);
        return Semantics.op(o, c -> {
            long a = to.load(c);
            long b = from.load(c);
            boolean carry = useCarry ? Flags.carry(c) : Flags.overflow(c);
            long v = a + b + (carry ? 1 : 0);
            boolean out = (((a & b) | ((a | b) & ~v)) << to.shift) < 0;
            to.store(c, v);
            Flags.setCarryOverflow(c, useCarry ? out : Flags.carry(c), useCarry ? Flags.overflow(c) : out);
        });
    }
}
