package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.Semantics.Action;
import kvasir.metal.cpu.Semantics.Maker;
import kvasir.metal.cpu.fp.FloatMath;
import kvasir.metal.cpu.fp.FloatMath.Relation;
import kvasir.metal.cpu.fp.Format;
import kvasir.metal.cpu.fp.Rounding;
import kvasir.metal.cpu.isa.Operand;

/** x87: loads, stores, arithmetic, comparisons, stack control. */
final class X87Ops {
    private X87Ops() {}

    /** What an instruction without memory operand does. */
    interface OnStack {
        void run(Fpu f);
    }

    /** What an instruction with one memory operand does. */
    interface OnMemory {
        /** @param at linear address of the operand, in reach for its size */
        void run(Fpu f, long at);
    }

    /** The result of two operands that are loaded in {@link FloatMath}: its significand. */
    private interface Arithmetic {
        long apply(FloatMath math);
    }

    /** A waiting instruction: #MF first, and the pointers of the last instruction at its end. */
    private static final class OnStackOp extends Op {
        private final OnStack body;
        private final int opcode;
        private final int start;

        OnStackOp(Operands o, OnStack body) {
            super(o);
            this.body = body;
            opcode = opcode(o);
            start = o.start();
        }

        @Override
        void run(Cpu c) {
            Fpu f = c.fpu;
            f.begin();
            body.run(f);
            f.instruction(opcode, c.r[Address.BLOCK] + start & c.ipMask);
        }
    }

    /** As {@link OnStackOp}, with an operand in memory. */
    private static final class OnMemoryOp extends Op {
        private final OnMemory body;
        private final int opcode;
        private final int start;
        private final Address address;
        private final int bytes;
        private final boolean writes;

        OnMemoryOp(Operands o, int bytes, boolean writes, OnMemory body) {
            super(o);
            this.body = body;
            this.bytes = bytes;
            this.writes = writes;
            opcode = opcode(o);
            start = o.start();
            address = o.arg(0).address;
        }

        @Override
        void run(Cpu c) {
            Fpu f = c.fpu;
            f.begin();
            body.run(f, address.linear(c, bytes, writes));
            f.instruction(opcode, c.r[Address.BLOCK] + start & c.ipMask);
            f.data(address.segment, address.offset(c));
        }
    }

    private static int opcode(Operands o) {
        return (o.instruction.encoding().opcode() & 7) << 8 | o.instruction.modrm() & 0xff;
    }

    /** An instruction on the stack. */
    static Op onStack(Operands o, OnStack body) {
        return new OnStackOp(o, body);
    }

    private static Op onMemory(Operands o, boolean writes, OnMemory body) {
        return new OnMemoryOp(o, ((Operand.Mem) o.instruction.operand(0)).bytes(), writes, body);
    }

    private static int register(Operands o, int operand) {
        return ((Operand.Reg) o.instruction.operand(operand)).register().number();
    }

    static void bind(Map<String, Maker> makers) {
        bindArithmetic(makers, "ADD", math -> math.add(Format.EXTENDED));
        bindArithmetic(makers, "MUL", math -> math.multiply(Format.EXTENDED));
        bindArithmetic(makers, "SUB", math -> math.subtract(Format.EXTENDED));
        bindArithmetic(makers, "DIV", math -> math.divide(Format.EXTENDED));
        bindReversed(makers, "SUBR", math -> math.subtract(Format.EXTENDED));
        bindReversed(makers, "DIVR", math -> math.divide(Format.EXTENDED));
        bindCompares(makers);
        bindMoves(makers);
        bindStack(makers);
        X87Constants.bind(makers);
        X87Functions.bind(makers);
        X87Environment.bind(makers);
    }

    private static void bindArithmetic(Map<String, Maker> makers, String name, Arithmetic operation) {
        makers.put("F" + name, o -> arithmetic(o, operation, false));
        makers.put("FI" + name, o -> integerArithmetic(o, operation, false));
        makers.put("F" + name + "P", o -> arithmetic(o, operation, false));
    }

    private static void bindReversed(Map<String, Maker> makers, String name, Arithmetic operation) {
        makers.put("F" + name, o -> arithmetic(o, operation, true));
        makers.put("FI" + name, o -> integerArithmetic(o, operation, true));
        makers.put("F" + name + "P", o -> arithmetic(o, operation, true));
    }

    private static Op arithmetic(Operands o, Arithmetic operation, boolean reversed) {
        if (o.isMemory(0)) {
            Format format = memoryFormat(o);
            int bytes = format == Format.SINGLE ? 4 : 8;
            return onMemory(o, false, (f, at) -> {
                long bits = f.c.mem.load(at, bytes);
                if (f.empty(0)) {
                    f.underflow(0);
                    return;
                }
                if (reversed) {
                    f.math.first(format, bits);
                    f.second(0);
                } else {
                    f.first(0);
                    f.math.second(format, bits);
                }
                f.result(0, operation.apply(f.math));
            });
        }
        int target = register(o, 0);
        int source = register(o, 1);
        int left = reversed ? source : target;
        int right = reversed ? target : source;
        boolean pops = o.instruction.mnemonic().endsWith("P");
        return onStack(o, f -> {
            boolean done;
            if (f.empty(target) || f.empty(source)) {
                done = f.underflow(target);
            } else {
                f.first(left);
                f.second(right);
                done = f.result(target, operation.apply(f.math));
            }
            if (pops && done) {
                f.pop();
            }
        });
    }

    private static Op integerArithmetic(Operands o, Arithmetic operation, boolean reversed) {
        int bytes = ((Operand.Mem) o.instruction.operand(0)).bytes();
        int shift = 64 - 8 * bytes;
        return onMemory(o, false, (f, at) -> {
            long integer = f.c.mem.load(at, bytes) << shift >> shift;
            if (f.empty(0)) {
                f.underflow(0);
                return;
            }
            if (reversed) {
                f.math.firstInteger(integer);
                f.second(0);
            } else {
                f.first(0);
                f.math.secondInteger(integer);
            }
            f.result(0, operation.apply(f.math));
        });
    }

    private static Format memoryFormat(Operands o) {
        return ((Operand.Mem) o.instruction.operand(0)).bytes() == 4 ? Format.SINGLE : Format.DOUBLE;
    }

    private static void bindCompares(Map<String, Maker> makers) {
        for (String name : new String[] {"FCOM", "FCOMP", "FUCOM", "FUCOMP"}) {
            boolean signals = !name.startsWith("FU");
            int pops = name.endsWith("P") ? 1 : 0;
            makers.put(name, o -> compare(o, signals, pops));
        }
        makers.put("FCOMPP", o -> onStack(o, f -> compareWith(f, 1, true, 2)));
        makers.put("FUCOMPP", o -> onStack(o, f -> compareWith(f, 1, false, 2)));
        makers.put("FICOM", o -> compareInteger(o, 0));
        makers.put("FICOMP", o -> compareInteger(o, 1));
        for (String name : new String[] {"FCOMI", "FCOMIP", "FUCOMI", "FUCOMIP"}) {
            boolean signals = !name.startsWith("FU");
            boolean pops = name.endsWith("P");
            makers.put(name, o -> compareToFlags(o, signals, pops));
        }
        makers.put(
                "FTST",
                o -> onStack(o, f -> {
                    if (f.empty(0)) {
                        unordered(f, 0);
                        return;
                    }
                    f.first(0);
                    f.math.secondExtended(0, 0);
                    compared(f, true, 0);
                }));
        makers.put("FXAM", o -> onStack(o, X87Ops::examine));
    }

    private static Op compare(Operands o, boolean signals, int pops) {
        if (!o.isMemory(0)) {
            int other = register(o, 0);
            return onStack(o, f -> compareWith(f, other, signals, pops));
        }
        Format format = memoryFormat(o);
        int bytes = format == Format.SINGLE ? 4 : 8;
        return onMemory(o, false, (f, at) -> {
            long bits = f.c.mem.load(at, bytes);
            if (f.empty(0)) {
                unordered(f, pops);
                return;
            }
            f.first(0);
            f.math.second(format, bits);
            compared(f, signals, pops);
        });
    }

    private static Op compareInteger(Operands o, int pops) {
        int bytes = ((Operand.Mem) o.instruction.operand(0)).bytes();
        int shift = 64 - 8 * bytes;
        return onMemory(o, false, (f, at) -> {
            long integer = f.c.mem.load(at, bytes) << shift >> shift;
            if (f.empty(0)) {
                unordered(f, pops);
                return;
            }
            f.first(0);
            f.math.secondInteger(integer);
            compared(f, true, pops);
        });
    }

    private static void compareWith(Fpu f, int other, boolean signals, int pops) {
        if (f.empty(0) || f.empty(other)) {
            unordered(f, pops);
            return;
        }
        f.first(0);
        f.second(other);
        compared(f, signals, pops);
    }

    /** A stack fault of a comparison. */
    private static void unordered(Fpu f, int pops) {
        boolean masked = f.stackFault(false);
        f.condition(X87.C0 | X87.C2 | X87.C3);
        if (masked) {
            pop(f, pops);
        }
    }

    /** The condition codes are set even if an unmasked exception keeps the stack as it was. */
    private static void compared(Fpu f, boolean signals, int pops) {
        Relation relation = f.math.compare(signals);
        boolean done = f.deliver();
        f.condition(
                switch (relation) {
                    case LESS -> X87.C0;
                    case EQUAL -> X87.C3;
                    case GREATER -> 0;
                    case UNORDERED -> X87.C0 | X87.C2 | X87.C3;
                });
        if (done) {
            pop(f, pops);
        }
    }

    private static void pop(Fpu f, int times) {
        for (int i = 0; i < times; i++) {
            f.pop();
        }
    }

    private static Op compareToFlags(Operands o, boolean signals, boolean pops) {
        int other = register(o, 1);
        return onStack(o, f -> {
            Relation relation = Relation.UNORDERED;
            boolean done;
            if (f.empty(0) || f.empty(other)) {
                done = f.stackFault(false);
            } else {
                int c1 = f.s.status & X87.C1;
                f.first(0);
                f.second(other);
                relation = f.math.compare(signals);
                done = f.deliver();
                f.c1(c1 != 0);
            }
            Flags.setStatus(
                    f.c,
                    switch (relation) {
                        case LESS -> Bits.CF;
                        case EQUAL -> Bits.ZF;
                        case GREATER -> 0;
                        case UNORDERED -> Bits.ZF | Bits.PF | Bits.CF;
                    });
            if (pops && done) {
                f.pop();
            }
        });
    }

    /** FXAM. */
    private static void examine(Fpu f) {
        int at = f.st(0);
        int word = f.s.signExponent[at];
        long significand = f.s.significand[at];
        int exponent = word & 0x7fff;
        int kind;
        if (f.empty(0)) {
            kind = X87.C3 | X87.C0;
        } else if (exponent == 0) {
            kind = significand == 0 ? X87.C3 : X87.C3 | X87.C2;
        } else if (significand >= 0) {
            kind = 0;
        } else if (exponent == 0x7fff) {
            kind = significand << 1 == 0 ? X87.C2 | X87.C0 : X87.C0;
        } else {
            kind = X87.C2;
        }
        f.condition(kind | ((word & 0x8000) != 0 ? X87.C1 : 0));
    }

    private static void bindMoves(Map<String, Maker> makers) {
        makers.put("FLD", X87Ops::load);
        makers.put("FST", o -> store(o, false));
        makers.put("FSTP", o -> store(o, true));
        makers.put("FSTPNCE", X87Ops::storeUnchecked);
        makers.put("FILD", X87Ops::loadInteger);
        makers.put("FIST", o -> storeInteger(o, false, false));
        makers.put("FISTP", o -> storeInteger(o, true, false));
        makers.put("FISTTP", o -> storeInteger(o, true, true));
        makers.put("FBLD", X87Ops::loadDecimal);
        makers.put("FBSTP", X87Ops::storeDecimal);
        makers.put("FXCH", X87Ops::exchange);
        String[] conditions = {"B", "E", "BE", "U", "NB", "NE", "NBE", "NU"};
        int[] codes = {2, 4, 6, 10, 3, 5, 7, 11};
        for (int i = 0; i < 8; i++) {
            int code = codes[i];
            makers.put("FCMOV" + conditions[i], o -> conditionalMove(o, code));
        }
    }

    private static Op load(Operands o) {
        if (!o.isMemory(0)) {
            int source = register(o, 0);
            return onStack(o, f -> {
                if (f.empty(source)) {
                    // both faults are one: an empty source is reported before a full stack
                    if (f.stackFault(false)) {
                        f.push(Fpu.INDEFINITE_WORD, Fpu.INDEFINITE);
                    }
                    return;
                }
                int at = f.st(source);
                int word = f.s.signExponent[at];
                long significand = f.s.significand[at];
                if (f.canPush()) {
                    f.c1(false);
                    f.push(word, significand);
                }
            });
        }
        int bytes = ((Operand.Mem) o.instruction.operand(0)).bytes();
        if (bytes == 10) {
            return onMemory(o, false, (f, at) -> {
                long significand = f.c.mem.load64(at);
                int word = (int) f.c.mem.load16(f.c.wrap(at + 8));
                if (f.canPush()) {
                    f.c1(false);
                    f.push(word, significand);
                }
            });
        }
        Format format = memoryFormat(o);
        return onMemory(o, false, (f, at) -> {
            long bits = f.c.mem.load(at, bytes);
            if (f.canPush()) {
                f.math.first(format, bits);
                f.math.exact();
                long significand = f.math.convert(Format.EXTENDED);
                int flags = f.math.flags;
                f.note(flags);
                // a denormal is loaded even if its exception is not masked
                if (f.masked(flags & FloatMath.INVALID)) {
                    f.push(f.math.signExponent, significand);
                }
            }
        });
    }

    private static Op loadInteger(Operands o) {
        int bytes = ((Operand.Mem) o.instruction.operand(0)).bytes();
        int shift = 64 - 8 * bytes;
        return onMemory(o, false, (f, at) -> {
            long integer = f.c.mem.load(at, bytes) << shift >> shift;
            if (f.canPush()) {
                f.math.exact();
                f.pushResult(f.math.fromInteger(Format.EXTENDED, integer));
            }
        });
    }

    private static Op store(Operands o, boolean pops) {
        if (!o.isMemory(0)) {
            int target = register(o, 0);
            return onStack(o, f -> {
                boolean done = true;
                if (f.empty(0)) {
                    done = f.underflow(target);
                } else {
                    int at = f.st(0);
                    f.c1(false);
                    f.set(target, f.s.signExponent[at], f.s.significand[at]);
                }
                if (pops && done) {
                    f.pop();
                }
            });
        }
        int bytes = ((Operand.Mem) o.instruction.operand(0)).bytes();
        if (bytes == 10) {
            return onMemory(o, true, (f, at) -> {
                boolean fault = f.empty(0);
                if (fault && !f.masked(FloatMath.INVALID)) {
                    f.stackFault(false);
                    return;
                }
                int from = f.st(0);
                store80(
                        f.c,
                        at,
                        fault ? Fpu.INDEFINITE_WORD : f.s.signExponent[from],
                        fault ? Fpu.INDEFINITE : f.s.significand[from]);
                f.c1(false);
                if (fault) {
                    f.stackFault(false);
                }
                f.pop();
            });
        }
        Format format = memoryFormat(o);
        return onMemory(o, true, (f, at) -> {
            boolean fault = f.empty(0);
            long bits;
            if (fault) {
                bits = f.math.indefinite(format);
            } else {
                f.first(0);
                bits = f.math.convert(format);
            }
            storeAndPop(f, at, bytes, bits, fault, f.math.flags & ~FloatMath.DENORMAL, pops);
        });
    }

    /** D9 /3, an undocumented FSTP that only pops an empty register. */
    private static Op storeUnchecked(Operands o) {
        int target = register(o, 0);
        return onStack(o, f -> {
            f.c1(false);
            if (!f.empty(0)) {
                int at = f.st(0);
                f.set(target, f.s.signExponent[at], f.s.significand[at]);
            }
            f.pop();
        });
    }

    /** Stores unless an unmasked exception forbids it, and then notes the exceptions. */
    private static void storeAndPop(Fpu f, long at, int bytes, long bits, boolean fault, int flags, boolean pops) {
        boolean stores = fault ? f.masked(FloatMath.INVALID) : !f.refusesStore(flags);
        if (stores) {
            f.c.mem.store(at, bytes, bits);
        }
        if (fault) {
            f.stackFault(false);
        } else if (stores) {
            f.note(flags);
        } else {
            f.math.roundedUp = false;
            f.note(flags & ~FloatMath.INEXACT);
        }
        if (pops && stores) {
            f.pop();
        }
    }

    private static void store80(Cpu c, long at, int word, long significand) {
        c.mem.probeWrite(at, 10);
        c.mem.store64(at, significand);
        c.mem.store16(c.wrap(at + 8), word);
    }

    private static Op storeInteger(Operands o, boolean pops, boolean truncates) {
        int bytes = ((Operand.Mem) o.instruction.operand(0)).bytes();
        long indefinite = -1L << (8 * bytes - 1);
        return onMemory(o, true, (f, at) -> {
            boolean fault = f.empty(0);
            long bits = indefinite;
            if (!fault) {
                if (truncates) {
                    f.math.rounding(Rounding.ZERO);
                }
                f.first(0);
                bits = f.math.toInteger(8 * bytes);
            }
            storeAndPop(f, at, bytes, bits, fault, f.math.flags, pops);
        });
    }

    /** FBLD. */
    private static Op loadDecimal(Operands o) {
        return onMemory(o, false, (f, at) -> {
            long low = f.c.mem.load64(at);
            int high = (int) f.c.mem.load16(f.c.wrap(at + 8));
            long value = 0;
            for (int digit = 17; digit >= 0; digit--) {
                value = value * 10 + (digit >= 16 ? high >> 4 * (digit - 16) & 15 : (int) (low >>> 4 * digit) & 15);
            }
            if (f.canPush()) {
                f.math.exact();
                long significand = f.math.fromInteger(Format.EXTENDED, value);
                int sign = high & 0x8000;
                f.c1(false);
                f.push(f.math.signExponent | sign, significand);
            }
        });
    }

    /** FBSTP: eighteen packed decimal digits and a sign. */
    private static Op storeDecimal(Operands o) {
        return onMemory(o, true, (f, at) -> {
            boolean fault = f.empty(0);
            boolean negative = (f.s.signExponent[f.st(0)] & 0x8000) != 0;
            long magnitude = 0;
            if (!fault) {
                f.first(0);
                magnitude = Math.abs(f.math.toInteger(64));
                if ((f.math.flags & FloatMath.INVALID) == 0
                        && Long.compareUnsigned(magnitude, 999_999_999_999_999_999L) > 0) {
                    f.math.flags = FloatMath.INVALID;
                    f.math.roundedUp = false;
                }
            }
            boolean invalid = fault || (f.math.flags & FloatMath.INVALID) != 0;
            if (invalid && !f.masked(FloatMath.INVALID)) {
                storeAndPop(f, at, 8, 0, fault, f.math.flags, false);
                return;
            }
            long low = 0xc000_0000_0000_0000L;
            int word = 0xffff;
            if (!invalid) {
                low = 0;
                for (int digit = 0; digit < 16; digit++) {
                    low |= magnitude % 10 << 4 * digit;
                    magnitude /= 10;
                }
                word = (int) (magnitude % 10 | magnitude / 10 << 4) | (negative ? 0x8000 : 0);
            }
            store80(f.c, at, word, low);
            if (fault) {
                f.stackFault(false);
            } else {
                f.note(f.math.flags);
            }
            f.pop();
        });
    }

    private static Op exchange(Operands o) {
        int other = register(o, 0);
        return onStack(o, f -> {
            if (f.empty(0) || f.empty(other)) {
                if (!f.stackFault(false)) {
                    return;
                }
                if (f.empty(0)) {
                    f.set(0, Fpu.INDEFINITE_WORD, Fpu.INDEFINITE);
                }
                if (f.empty(other)) {
                    f.set(other, Fpu.INDEFINITE_WORD, Fpu.INDEFINITE);
                }
            } else {
                f.c1(false);
            }
            int a = f.st(0);
            int b = f.st(other);
            int word = f.s.signExponent[a];
            long significand = f.s.significand[a];
            f.set(0, f.s.signExponent[b], f.s.significand[b]);
            f.set(other, word, significand);
        });
    }

    private static Op conditionalMove(Operands o, int condition) {
        int source = register(o, 1);
        return onStack(o, f -> {
            if (f.empty(0) || f.empty(source)) {
                f.underflow(0);
                return;
            }
            if (Flags.test(f.c, condition)) {
                int at = f.st(source);
                f.set(0, f.s.signExponent[at], f.s.significand[at]);
            }
        });
    }

    private static void bindStack(Map<String, Maker> makers) {
        makers.put("FNOP", o -> onStack(o, f -> {}));
        makers.put("FCHS", o -> onStack(o, f -> sign(f, true)));
        makers.put("FABS", o -> onStack(o, f -> sign(f, false)));
        makers.put("FINCSTP", o -> onStack(o, f -> turn(f, 1)));
        makers.put("FDECSTP", o -> onStack(o, f -> turn(f, 7)));
        makers.put("FFREE", o -> {
            int i = register(o, 0);
            return onStack(o, f -> free(f, i));
        });
        makers.put("FFREEP", o -> {
            int i = register(o, 0);
            return onStack(o, f -> {
                free(f, i);
                f.pop();
            });
        });
        Action wait = c -> {
            if ((c.sys.cr0 & (Bits.CR0_MP | Bits.CR0_TS)) == (Bits.CR0_MP | Bits.CR0_TS)) {
                throw c.exception(Vector.NM, 0);
            }
            if ((c.sys.x87.status & X87.ES) != 0) {
                throw c.exception(Vector.MF, 0);
            }
        };
        makers.put("FWAIT", o -> Semantics.op(o, wait));
    }

    private static void sign(Fpu f, boolean flip) {
        if (f.empty(0)) {
            f.underflow(0);
            return;
        }
        f.c1(false);
        int at = f.st(0);
        int word = f.s.signExponent[at];
        f.s.signExponent[at] = flip ? word ^ 0x8000 : word & 0x7fff;
    }

    private static void free(Fpu f, int i) {
        f.s.valid &= ~(1 << f.st(i));
        f.c1(false);
    }

    private static void turn(Fpu f, int by) {
        f.s.top = f.s.top + by & 7;
        f.c1(false);
    }
}
