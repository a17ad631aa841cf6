package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.Semantics.Maker;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.metal.cpu.isa.Operand;

/** Near control flow: Jcc, JMP, CALL, RET, LOOP, JCXZ. */
final class BranchOps {
    private static final String[] CONDITIONS = {
        "O", "NO", "B", "AE", "E", "NE", "BE", "A", "S", "NS", "P", "NP", "L", "GE", "LE", "G"
    };

    private BranchOps() {}

    static void bind(Map<String, Maker> makers) {
        for (int i = 0; i < 16; i++) {
            makers.put("J" + CONDITIONS[i], BranchOps::conditional);
        }
        makers.put("JMP", o -> o.instruction.operand(0) instanceof Operand.Rel ? new Jump(o) : jumpIndirect(o));
        makers.put("CALL", o -> o.instruction.operand(0) instanceof Operand.Rel ? call(o) : callIndirect(o));
        makers.put("RET", o -> o.codeSize == CodeSize.BITS64 && o.size() == 8 ? new Return64(o) : new Return(o));
        makers.put("LOOP", o -> loop(o, -1));
        makers.put("LOOPE", o -> loop(o, 1));
        makers.put("LOOPNE", o -> loop(o, 0));
        for (String name : new String[] {"JCXZ", "JECXZ", "JRCXZ"}) {
            makers.put(name, BranchOps::jumpIfCountZero);
        }
    }

    private static long mask(Operands o) {
        return o.size() == 8 ? -1 : o.size() == 4 ? 0xffff_ffffL : 0xffff;
    }

    /** A branch to a fixed distance from the block. */
    private abstract static class Relative extends BlockEnd {
        private final long distance;
        private final long mask;
        private final boolean flat;

        Relative(Operands o) {
            super(o);
            distance = o.end + ((Operand.Rel) o.instruction.operand(0)).displacement();
            mask = mask(o);
            flat = o.codeSize == CodeSize.BITS64;
        }

        final long target(Cpu c) {
            return (c.r[Address.BLOCK] + distance) & mask;
        }

        final void go(Cpu c) {
            long target = target(c);
            if (flat && c.canonical64(target)) {
                c.ip = target;
            } else {
                c.jump(target);
            }
        }
    }

    private static Op conditional(Operands o) {
        return switch (o.instruction.encoding().condition()) {
            case 2 -> new Below(o);
            case 3 -> new AboveOrEqual(o);
            case 4 -> new Equal(o);
            case 5 -> new NotEqual(o);
            case 12 -> new Less(o);
            default -> new Conditional(o);
        };
    }

    private static final class Conditional extends Relative {
        private final int condition;

        Conditional(Operands o) {
            super(o);
            condition = o.instruction.encoding().condition();
        }

        @Override
        void run(Cpu c) {
            if (Flags.test(c, condition)) {
                go(c);
            }
        }
    }

    private static final class Equal extends Relative {
        Equal(Operands o) {
            super(o);
        }

        @Override
        void run(Cpu c) {
            if (Flags.zero(c)) {
                go(c);
            }
        }
    }

    private static final class NotEqual extends Relative {
        NotEqual(Operands o) {
            super(o);
        }

        @Override
        void run(Cpu c) {
            if (!Flags.zero(c)) {
                go(c);
            }
        }
    }

    private static final class Below extends Relative {
        Below(Operands o) {
            super(o);
        }

        @Override
        void run(Cpu c) {
            if (Flags.carry(c)) {
                go(c);
            }
        }
    }

    private static final class AboveOrEqual extends Relative {
        AboveOrEqual(Operands o) {
            super(o);
        }

        @Override
        void run(Cpu c) {
            if (!Flags.carry(c)) {
                go(c);
            }
        }
    }

    private static final class Less extends Relative {
        Less(Operands o) {
            super(o);
        }

        @Override
        void run(Cpu c) {
            if (Flags.sign(c) != Flags.overflow(c)) {
                go(c);
            }
        }
    }

    private static final class Jump extends Relative {
        Jump(Operands o) {
            super(o);
        }

        @Override
        void run(Cpu c) {
            go(c);
        }
    }

    private static Op call(Operands o) {
        return o.codeSize == CodeSize.BITS64 && o.size() == 8 ? new Call64(o) : new Call(o);
    }

    private static final class Call64 extends Relative {
        Call64(Operands o) {
            super(o);
        }

        @Override
        void run(Cpu c) {
            long target = target(c);
            if (!c.canonical64(target)) {
                throw c.exception(Vector.GP, 0);
            }
            long sp = c.r[Gpr.RSP] - 8;
            c.mem.store64(sp, c.r[Address.BLOCK] + end);
            c.r[Gpr.RSP] = sp;
            c.ip = target;
        }
    }

    private static final class Return64 extends BlockEnd {
        private final long popped;

        Return64(Operands o) {
            super(o);
            popped = 8 + (o.count() == 0 ? 0 : o.immediate(0) & 0xffff);
        }

        @Override
        void run(Cpu c) {
            long sp = c.r[Gpr.RSP];
            long target = c.mem.load64(sp);
            if (!c.canonical64(target)) {
                throw c.exception(Vector.GP, 0);
            }
            c.ip = target;
            c.r[Gpr.RSP] = sp + popped;
        }
    }

    private static final class Call extends Relative {
        private final int bytes;

        Call(Operands o) {
            super(o);
            bytes = o.size();
        }

        @Override
        void run(Cpu c) {
            long next = (c.r[Address.BLOCK] + end) & c.ipMask;
            long before = c.ip;
            go(c);
            long target = c.ip;
            c.ip = before;
            StackOps.push(c, bytes, next);
            c.ip = target;
        }
    }

    private static final class Return extends BlockEnd {
        private final int bytes;
        private final long extra;
        private final long mask;

        Return(Operands o) {
            super(o);
            bytes = o.size();
            extra = o.count() == 0 ? 0 : o.immediate(0) & 0xffff;
            mask = mask(o);
        }

        @Override
        void run(Cpu c) {
            long target = StackOps.peek(c, 0, bytes) & mask;
            c.jump(target);
            StackOps.setStack(c, (c.r[Gpr.RSP] + bytes + extra) & c.stackMask);
        }
    }

    private static Op jumpIndirect(Operands o) {
        Arg target = o.arg(0);
        return Semantics.end(o, c -> c.jump(target.load(c)));
    }

    private static Op callIndirect(Operands o) {
        Arg target = o.arg(0);
        int bytes = o.size();
        return Semantics.end(o, c -> {
            long to = target.load(c);
            long next = (c.r[Address.BLOCK] + o.end) & c.ipMask;
            long before = c.ip;
            c.jump(to);
            c.ip = before;
            StackOps.push(c, bytes, next);
            c.ip = to;
        });
    }

    /** A counting loop; {@code zero} is the ZF it wants, or -1. */
    private static Op loop(Operands o, int zero) {
        return new Relative(o) {
            private final Arg count = counter(o);

            @Override
            void run(Cpu c) {
                long left = (count.load(c) - 1) & count.mask;
                boolean taken = left != 0 && (zero < 0 || Flags.zero(c) == (zero == 1));
                if (taken) {
                    go(c);
                }
                count.store(c, left);
            }
        };
    }

    private static Op jumpIfCountZero(Operands o) {
        return new Relative(o) {
            private final Arg count = counter(o);

            @Override
            void run(Cpu c) {
                if (count.load(c) == 0) {
                    go(c);
                }
            }
        };
    }

    private static Arg counter(Operands o) {
        return new Arg(new Operand.Reg(kvasir.metal.cpu.isa.Register.general(o.instruction.addressSize(), Gpr.RCX)), 0);
    }
}
