package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.Semantics.Maker;
import kvasir.metal.cpu.isa.Operand;
import kvasir.metal.cpu.isa.Register;

/** PUSH, POP and what else moves the stack pointer; helpers that other families use. */
final class StackOps {
    private StackOps() {}

    static void bind(Map<String, Maker> makers) {
        makers.put("PUSH", StackOps::pushOp);
        makers.put("POP", StackOps::popOp);
        makers.put("PUSHAW", o -> pushAll(o, 2));
        makers.put("PUSHAD", o -> pushAll(o, 4));
        makers.put("POPAW", o -> popAll(o, 2));
        makers.put("POPAD", o -> popAll(o, 4));
        makers.put("ENTER", StackOps::enter);
        makers.put("LEAVE", StackOps::leave);
    }

    /** Pushes; the stack pointer changes only if the store succeeds. */
    static void push(Cpu c, int bytes, long value) {
        long sp = (c.r[Gpr.RSP] - bytes) & c.stackMask;
        try {
            c.mem.store(c.linear(Segment.SS, sp, bytes, true), bytes, value);
        } catch (Unwind u) {
            throw onStack(c, u);
        }
        setStack(c, sp);
    }

    /** A stack address that is not canonical is #SS, also in an instruction with another operand in memory. */
    private static Unwind onStack(Cpu c, Unwind u) {
        return u.kind == Unwind.Kind.NON_CANONICAL ? c.exception(Vector.SS, 0) : u;
    }

    /** Pops. */
    static long pop(Cpu c, int bytes) {
        long value = peek(c, 0, bytes);
        setStack(c, (c.r[Gpr.RSP] + bytes) & c.stackMask);
        return value;
    }

    /** The value {@code distance} bytes above the top of the stack. */
    static long peek(Cpu c, long distance, int bytes) {
        long sp = (c.r[Gpr.RSP] + distance) & c.stackMask;
        try {
            return c.mem.load(c.linear(Segment.SS, sp, bytes, false), bytes);
        } catch (Unwind u) {
            throw onStack(c, u);
        }
    }

    /** Sets the part of RSP that is the stack pointer in the present mode. */
    static void setStack(Cpu c, long sp) {
        c.r[Gpr.RSP] = c.stackMask == 0xffff ? c.r[Gpr.RSP] & ~0xffffL | sp & 0xffff : sp & c.stackMask;
    }

    private static final class PushRegister64 extends Op {
        private final int from;

        PushRegister64(Operands o) {
            super(o);
            from = o.arg(0).register;
        }

        @Override
        void run(Cpu c) {
            long sp = c.r[Gpr.RSP] - 8;
            c.mem.store64(sp, c.r[from]);
            c.r[Gpr.RSP] = sp;
        }
    }

    private static final class PopRegister64 extends Op {
        private final int to;

        PopRegister64(Operands o) {
            super(o);
            to = o.arg(0).register;
        }

        @Override
        void run(Cpu c) {
            long value = c.mem.load64(c.r[Gpr.RSP]);
            c.r[Gpr.RSP] += 8;
            c.r[to] = value;
        }
    }

    private static Op pushOp(Operands o) {
        if (o.instruction.operand(0) instanceof Operand.Reg(Register r) && r.file() == Register.File.SEGMENT) {
            int bytes = o.size();
            int number = r.number();
            return Semantics.op(o, c -> {
                if (bytes == 4) {
                    // the upper half of the slot is left alone, as processors do
                    long sp = (c.r[Gpr.RSP] - 4) & c.stackMask;
                    c.mem.store16(c.linear(Segment.SS, sp, 2, true), c.sys.selector[number]);
                    setStack(c, sp);
                } else {
                    push(c, bytes, c.sys.selector[number]);
                }
            });
        }
        Arg from = o.arg(0);
        if (from.inRegister() && from.bytes == 8) {
            return new PushRegister64(o);
        }
        int bytes = from.inRegister() || from.inMemory() ? from.bytes : o.size();
        return Semantics.op(o, c -> push(c, bytes, from.load(c)));
    }

    private static Op popOp(Operands o) {
        if (o.instruction.operand(0) instanceof Operand.Reg(Register r) && r.file() == Register.File.SEGMENT) {
            int number = r.number();
            return Semantics.end(o, c -> {
                int selector = (int) peek(c, 0, o.size() == 4 ? 2 : o.size()) & 0xffff;
                long mask = c.stackMask;
                long sp = (c.r[Gpr.RSP] + o.size()) & mask;
                c.segments.load(number, selector);
                c.r[Gpr.RSP] = mask == 0xffff ? c.r[Gpr.RSP] & ~0xffffL | sp : sp & mask;
                if (number == Segment.SS) {
                    c.shadow = true;
                    c.stackShadow = true;
                }
            });
        }
        Arg to = o.arg(0);
        if (to.inRegister() && to.bytes == 8) {
            return new PopRegister64(o);
        }
        if (to.inRegister()) {
            return Semantics.op(o, c -> to.store(c, pop(c, to.bytes)));
        }
        return Semantics.op(o, c -> {
            // the address is computed with the stack pointer already raised
            long old = c.r[Gpr.RSP];
            long value = pop(c, to.bytes);
            try {
                to.store(c, value);
            } catch (Unwind u) {
                c.r[Gpr.RSP] = old;
                throw u;
            }
        });
    }

    private static Op pushAll(Operands o, int bytes) {
        return Semantics.op(o, c -> {
            long sp = c.r[Gpr.RSP];
            for (int i = 0; i < 8; i++) {
                long at = (sp - (i + 1) * bytes) & c.stackMask;
                c.mem.probeWrite(c.linear(Segment.SS, at, bytes, true), bytes);
            }
            for (int i = 0; i < 8; i++) {
                push(c, bytes, i == Gpr.RSP ? sp : c.r[i]);
            }
        });
    }

    private static Op popAll(Operands o, int bytes) {
        return Semantics.op(o, c -> {
            long[] values = new long[8];
            for (int i = 0; i < 8; i++) {
                values[i] = peek(c, (long) i * bytes, bytes);
            }
            setStack(c, (c.r[Gpr.RSP] + 8L * bytes) & c.stackMask);
            for (int i = 0; i < 8; i++) {
                int register = 7 - i;
                if (register != Gpr.RSP) {
                    c.r[register] = bytes == 2 ? c.r[register] & ~0xffffL | values[i] : values[i];
                }
            }
        });
    }

    private static Op enter(Operands o) {
        int bytes = o.size();
        long size = o.immediate(0) & 0xffff;
        int level = (int) o.immediate(1) & 31;
        Arg frame = new Arg(new Operand.Reg(Register.general(bytes, Gpr.RBP)), 0);
        return Semantics.op(o, c -> {
            long old = c.r[Gpr.RSP];
            try {
                push(c, bytes, c.r[Gpr.RBP]);
                long base = c.r[Gpr.RSP];
                long bp = c.r[Gpr.RBP];
                for (int i = 1; i < level; i++) {
                    bp = (bp - bytes) & c.stackMask;
                    push(c, bytes, c.mem.load(c.linear(Segment.SS, bp, bytes, false), bytes));
                }
                if (level > 0) {
                    push(c, bytes, base);
                }
                long sp = (c.r[Gpr.RSP] - size) & c.stackMask;
                c.mem.probeWrite(c.linear(Segment.SS, sp, bytes, true), bytes);
                frame.store(c, base);
                setStack(c, sp);
            } catch (Unwind u) {
                c.r[Gpr.RSP] = old;
                throw u;
            }
        });
    }

    private static Op leave(Operands o) {
        int bytes = o.size();
        Arg frame = new Arg(new Operand.Reg(Register.general(bytes, Gpr.RBP)), 0);
        return Semantics.op(o, c -> {
            long sp = c.r[Gpr.RBP] & c.stackMask;
            long value = c.mem.load(c.linear(Segment.SS, sp, bytes, false), bytes);
            setStack(c, (sp + bytes) & c.stackMask);
            frame.store(c, value);
        });
    }
}
