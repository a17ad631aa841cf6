package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.Semantics.Maker;
import kvasir.metal.cpu.isa.Operand;
import kvasir.metal.cpu.isa.Register;

/** MOV and its relatives: extension, exchange, conditional moves, byte swaps. */
final class MoveOps {
    private static final String[] CONDITIONS = {
        "O", "NO", "B", "AE", "E", "NE", "BE", "A", "S", "NS", "P", "NP", "L", "GE", "LE", "G"
    };

    private MoveOps() {}

    static void bind(Map<String, Maker> makers) {
        makers.put("MOV", MoveOps::mov);
        makers.put("MOVNTI", o -> move(o, o.arg(0), o.arg(1)));
        makers.put("MOVZX", o -> move(o, o.arg(0), o.arg(1)));
        makers.put("MOVSX", MoveOps::signExtend);
        makers.put("MOVSXD", MoveOps::signExtend);
        makers.put("LEA", Lea::new);
        makers.put("XCHG", MoveOps::exchange);
        makers.put("BSWAP", MoveOps::byteSwap);
        makers.put("MOVBE", MoveOps::moveBigEndian);
        makers.put("XLATB", MoveOps::translate);
        makers.put("CBW", o -> accumulator(o, 1, 2));
        makers.put("CWDE", o -> accumulator(o, 2, 4));
        makers.put("CDQE", o -> accumulator(o, 4, 8));
        makers.put("CWD", o -> spread(o, 2));
        makers.put("CDQ", o -> spread(o, 4));
        makers.put("CQO", o -> spread(o, 8));
        for (int i = 0; i < 16; i++) {
            makers.put("CMOV" + CONDITIONS[i], MoveOps::conditionalMove);
            makers.put("SET" + CONDITIONS[i], MoveOps::setOnCondition);
        }
        for (String name : new String[] {
            "NOP",
            "ENDBR64",
            "ENDBR32",
            "PREFETCH",
            "PREFETCHW",
            "PREFETCHNTA",
            "PREFETCHT0",
            "PREFETCHT1",
            "PREFETCHT2"
        }) {
            makers.put(name, Nothing::new);
        }
    }

    private static Op mov(Operands o) {
        Operand to = o.instruction.operand(0);
        Operand from = o.instruction.operand(1);
        if (to instanceof Operand.Reg(Register r) && !r.general()) {
            return SystemOps.moveToSpecial(o, r);
        }
        if (from instanceof Operand.Reg(Register r) && !r.general()) {
            return SystemOps.moveFromSpecial(o, r);
        }
        return move(o, o.arg(0), o.arg(1));
    }

    private static Op move(Operands o, Arg to, Arg from) {
        if (to.plainRegister() && to.bytes >= 4) {
            if (from.plainRegister()) {
                return new RegisterToRegister(o, to, from);
            }
            if (from.inMemory()) {
                return switch (from.bytes) {
                    case 8 -> new Load64(o, to, from);
                    case 4 -> new Load32(o, to, from);
                    case 2 -> new Load16(o, to, from);
                    case 1 -> new Load8(o, to, from);
                    default -> new General(o, to, from);
                };
            }
            if (!from.inRegister()) {
                return new Constant(o, to, from);
            }
        }
        if (to.inMemory() && from.plainRegister()) {
            return switch (from.bytes) {
                case 8 -> new Store64(o, to, from);
                case 4 -> new Store32(o, to, from);
                case 2 -> new Store16(o, to, from);
                default -> new Store8(o, to, from);
            };
        }
        return new General(o, to, from);
    }

    private static final class Nothing extends Op {
        Nothing(Operands o) {
            super(o);
        }

        @Override
        void run(Cpu c) {}
    }

    private static final class General extends Op {
        private final Arg to;
        private final Arg from;

        General(Operands o, Arg to, Arg from) {
            super(o);
            this.to = to;
            this.from = from;
        }

        @Override
        void run(Cpu c) {
            to.store(c, from.load(c));
        }
    }

    private static final class RegisterToRegister extends Op {
        private final int to;
        private final int from;
        private final long mask;

        RegisterToRegister(Operands o, Arg to, Arg from) {
            super(o);
            this.to = to.register;
            this.from = from.register;
            mask = from.mask;
        }

        @Override
        void run(Cpu c) {
            c.r[to] = c.r[from] & mask;
        }
    }

    private static final class Constant extends Op {
        private final int to;
        private final long value;

        Constant(Operands o, Arg to, Arg from) {
            super(o);
            this.to = to.register;
            value = from.immediate & to.mask;
        }

        @Override
        void run(Cpu c) {
            c.r[to] = value;
        }
    }

    private static final class Load64 extends Op {
        private final int to;
        private final Address from;

        Load64(Operands o, Arg to, Arg from) {
            super(o);
            this.to = to.register;
            this.from = from.address;
        }

        @Override
        void run(Cpu c) {
            c.r[to] = c.mem.load64(from.linear(c, 8, false));
        }
    }

    private static final class Load32 extends Op {
        private final int to;
        private final Address from;

        Load32(Operands o, Arg to, Arg from) {
            super(o);
            this.to = to.register;
            this.from = from.address;
        }

        @Override
        void run(Cpu c) {
            c.r[to] = c.mem.load32(from.linear(c, 4, false));
        }
    }

    private static final class Load16 extends Op {
        private final int to;
        private final Address from;

        Load16(Operands o, Arg to, Arg from) {
            super(o);
            this.to = to.register;
            this.from = from.address;
        }

        @Override
        void run(Cpu c) {
            c.r[to] = c.mem.load16(from.linear(c, 2, false));
        }
    }

    private static final class Load8 extends Op {
        private final int to;
        private final Address from;

        Load8(Operands o, Arg to, Arg from) {
            super(o);
            this.to = to.register;
            this.from = from.address;
        }

        @Override
        void run(Cpu c) {
            c.r[to] = c.mem.load8(from.linear(c, 1, false));
        }
    }

    private static final class Store64 extends Op {
        private final Address to;
        private final int from;

        Store64(Operands o, Arg to, Arg from) {
            super(o);
            this.to = to.address;
            this.from = from.register;
        }

        @Override
        void run(Cpu c) {
            c.mem.store64(to.linear(c, 8, true), c.r[from]);
        }
    }

    private static final class Store32 extends Op {
        private final Address to;
        private final int from;

        Store32(Operands o, Arg to, Arg from) {
            super(o);
            this.to = to.address;
            this.from = from.register;
        }

        @Override
        void run(Cpu c) {
            c.mem.store32(to.linear(c, 4, true), c.r[from]);
        }
    }

    private static final class Store16 extends Op {
        private final Address to;
        private final int from;

        Store16(Operands o, Arg to, Arg from) {
            super(o);
            this.to = to.address;
            this.from = from.register;
        }

        @Override
        void run(Cpu c) {
            c.mem.store16(to.linear(c, 2, true), c.r[from]);
        }
    }

    private static final class Store8 extends Op {
        private final Address to;
        private final int from;

        Store8(Operands o, Arg to, Arg from) {
            super(o);
            this.to = to.address;
            this.from = from.register;
        }

        @Override
        void run(Cpu c) {
            c.mem.store8(to.linear(c, 1, true), c.r[from]);
        }
    }

    private static Op signExtend(Operands o) {
        Arg to = o.arg(0);
        Arg from = o.arg(1);
        if (to.bytes >= 4 && from.plainRegister()) {
            return new SignExtendRegister(o, to, from);
        }
        if (to.bytes >= 4 && from.inMemory()) {
            return new SignExtendMemory(o, to, from);
        }
        return Semantics.op(o, c -> to.store(c, from.loadSigned(c)));
    }

    private static final class SignExtendRegister extends Op {
        private final int to;
        private final int from;
        private final int shift;
        private final long mask;

        SignExtendRegister(Operands o, Arg to, Arg from) {
            super(o);
            this.to = to.register;
            this.from = from.register;
            shift = from.shift;
            mask = to.mask;
        }

        @Override
        void run(Cpu c) {
            c.r[to] = c.r[from] << shift >> shift & mask;
        }
    }

    private static final class SignExtendMemory extends Op {
        private final int to;
        private final Address from;
        private final int bytes;
        private final int shift;
        private final long mask;

        SignExtendMemory(Operands o, Arg to, Arg from) {
            super(o);
            this.to = to.register;
            this.from = from.address;
            bytes = from.bytes;
            shift = from.shift;
            mask = to.mask;
        }

        @Override
        void run(Cpu c) {
            c.r[to] = c.mem.load(from.linear(c, bytes, false), bytes) << shift >> shift & mask;
        }
    }

    private static final class Lea extends Op {
        private final int to;
        private final long keep;
        private final long mask;
        private final Address address;

        Lea(Operands o) {
            super(o);
            Arg target = o.arg(0);
            to = target.register;
            keep = target.keep;
            mask = target.mask;
            address = o.arg(1).address;
        }

        @Override
        void run(Cpu c) {
            c.r[to] = c.r[to] & keep | address.offset(c) & mask;
        }
    }

    private static Op exchange(Operands o) {
        Arg a = o.arg(0);
        Arg b = o.arg(1);
        return Semantics.op(o, c -> {
            long first = a.loadForStore(c);
            long second = b.load(c);
            a.store(c, second);
            b.store(c, first);
        });
    }

    private static Op byteSwap(Operands o) {
        Arg a = o.arg(0);
        return switch (a.bytes) {
            case 8 -> Semantics.op(o, c -> a.store(c, Long.reverseBytes(a.load(c))));
            case 4 -> Semantics.op(o, c -> a.store(c, Integer.reverseBytes((int) a.load(c))));
            default -> Semantics.op(o, c -> a.store(c, 0));
        };
    }

    private static Op moveBigEndian(Operands o) {
        Arg to = o.arg(0);
        Arg from = o.arg(1);
        int shift = to.shift;
        return Semantics.op(o, c -> to.store(c, Long.reverseBytes(from.load(c)) >>> shift));
    }

    private static Op translate(Operands o) {
        long mask = o.instruction.addressSize() == 8 ? -1 : (1L << 8 * o.instruction.addressSize()) - 1;
        int segment = o.instruction.segment();
        return Semantics.op(o, c -> {
            long offset = (c.r[Gpr.RBX] + (c.r[Gpr.RAX] & 0xff)) & mask;
            long value = c.mem.load8(c.linear(segment, offset, 1, false));
            c.r[Gpr.RAX] = c.r[Gpr.RAX] & ~0xffL | value;
        });
    }

    private static Op accumulator(Operands o, int from, int to) {
        Arg source = new Arg(new Operand.Reg(Register.general(from, 0)), 0);
        Arg target = new Arg(new Operand.Reg(Register.general(to, 0)), 0);
        return Semantics.op(o, c -> target.store(c, source.loadSigned(c)));
    }

    private static Op spread(Operands o, int bytes) {
        Arg source = new Arg(new Operand.Reg(Register.general(bytes, 0)), 0);
        Arg target = new Arg(new Operand.Reg(Register.general(bytes, 2)), 0);
        return Semantics.op(o, c -> target.store(c, source.loadSigned(c) >> 63));
    }

    private static Op conditionalMove(Operands o) {
        Arg to = o.arg(0);
        Arg from = o.arg(1);
        int condition = o.instruction.encoding().condition();
        if (from.plainRegister() && to.bytes >= 4) {
            return new MoveIf(o, to, from, condition);
        }
        return Semantics.op(o, c -> {
            long value = from.load(c);
            to.store(c, Flags.test(c, condition) ? value : to.load(c));
        });
    }

    private static final class MoveIf extends Op {
        private final int to;
        private final int from;
        private final long mask;
        private final int condition;

        MoveIf(Operands o, Arg to, Arg from, int condition) {
            super(o);
            this.to = to.register;
            this.from = from.register;
            this.condition = condition;
            mask = to.mask;
        }

        @Override
        void run(Cpu c) {
            c.r[to] = c.r[Flags.test(c, condition) ? from : to] & mask;
        }
    }

    private static Op setOnCondition(Operands o) {
        Arg to = o.arg(0);
        int condition = o.instruction.encoding().condition();
        return Semantics.op(o, c -> to.store(c, Flags.test(c, condition) ? 1 : 0));
    }
}
