package kvasir.metal.cpu;

import java.util.Map;
import java.util.Optional;
import kvasir.metal.cpu.Semantics.Maker;
import kvasir.metal.cpu.isa.Encoding;
import kvasir.metal.cpu.isa.InstructionTable;
import kvasir.metal.cpu.isa.Operand;
import kvasir.metal.cpu.isa.Register;
import kvasir.metal.cpu.simd.VectorOp;
import kvasir.metal.cpu.simd.VectorOps;

/**
 * MMX: instructions on the significands of the x87 registers. Each reports a waiting x87 exception first, and when it is
 * through TOP is 0 and no register is empty (Intel SDM volume 1, 9.5).
 */
final class MmxOps {
    private static final int NO_REGISTER = -1;

    private MmxOps() {}

    static void bind(Map<String, Maker> makers) {
        for (Encoding row : InstructionTable.rows()) {
            if (row.usesMmxRegisters()
                    && !row.usesVectorRegisters()
                    && operation(row).isPresent()) {
                put(makers, row.mnemonic(), MmxOps::compute);
            }
        }
        put(makers, "MOVD", MmxOps::move);
        put(makers, "MOVQ", MmxOps::move);
        put(makers, "MOVNTQ", MmxOps::move);
        put(makers, "PINSRW", MmxOps::insertWord);
        put(makers, "PEXTRW", MmxOps::extractWord);
        put(makers, "PMOVMSKB", MmxOps::signMask);
        put(makers, "MASKMOVQ", MmxOps::maskedMove);
        makers.put(
                "EMMS",
                o -> Semantics.op(o, c -> {
                    begin(c);
                    c.sys.x87.top = 0;
                    c.sys.x87.valid = 0;
                }));
        makers.put("MOVQ2DQ", o -> {
            var to = new VectorResult(o, 0);
            int from = register(o, 1);
            return Semantics.op(o, c -> {
                begin(c);
                c.sys.x87.enterMmx();
                to.store(c, c.sys.x87.significand[from], 0);
            });
        });
        makers.put("MOVDQ2Q", o -> {
            int to = register(o, 0);
            int from = new VectorArg(o, 1).words();
            return Semantics.op(o, c -> {
                begin(c);
                write(c, to, c.sys.ymm[from]);
            });
        });
        conversions(makers);
    }

    /** Adds a maker for the MMX rows of a mnemonic that may have XMM rows too. */
    private static void put(Map<String, Maker> makers, String mnemonic, Maker maker) {
        Optional<Maker> other = Optional.ofNullable(makers.get(mnemonic));
        makers.put(
                mnemonic,
                other.isEmpty()
                        ? maker
                        : o -> onMmx(o) ? maker.make(o) : other.get().make(o));
    }

    private static boolean onMmx(Operands o) {
        Encoding row = o.instruction.encoding();
        return row.usesMmxRegisters() && !row.usesVectorRegisters();
    }

    private static Optional<VectorOp> operation(Encoding row) {
        String name = row.mnemonic();
        return row.forms().endsWith("imm8")
                ? VectorOps.find(name + "/I").or(() -> VectorOps.find(name))
                : VectorOps.find(name);
    }

    /** #MF if an unmasked x87 exception waits. */
    private static void begin(Cpu c) {
        if ((c.sys.x87.status & X87.ES) != 0) {
            throw c.exception(Vector.MF, 0);
        }
    }

    private static void write(Cpu c, int register, long value) {
        c.sys.x87.enterMmx();
        c.sys.x87.setMmx(register, value);
    }

    /** Number of the MMX register that an operand is, or {@link #NO_REGISTER}. */
    private static int register(Operands o, int operand) {
        return o.instruction.operand(operand) instanceof Operand.Reg(Register r) && r.file() == Register.File.MMX
                ? r.number()
                : NO_REGISTER;
    }

    /** Reads a register of any kind, or memory. */
    private static long load(Cpu c, int register, Arg other) {
        return register >= 0 ? c.sys.x87.significand[register] : other.load(c);
    }

    private static Op compute(Operands o) {
        Encoding row = o.instruction.encoding();
        VectorOp operation = operation(row).orElseThrow();
        boolean hasImmediate = row.forms().endsWith("imm8");
        int immediate = hasImmediate ? (int) o.immediate(o.count() - 1) & 0xff : 0;
        int to = register(o, 0);
        int from = hasImmediate && o.count() == 2 ? 0 : 1;
        int source = register(o, from);
        Arg memory = o.arg(from);
        return Semantics.op(o, c -> {
            begin(c);
            c.vectorB[0] = load(c, source, memory);
            c.vectorA[0] = c.sys.x87.significand[to];
            operation.apply(c.vectorResult, c.vectorA, c.vectorB, immediate, 1, c.simd);
            write(c, to, c.vectorResult[0]);
        });
    }

    /** MOVD, MOVQ, MOVNTQ. */
    private static Op move(Operands o) {
        int to = register(o, 0);
        int from = register(o, 1);
        Arg other = o.arg(to >= 0 ? 1 : 0);
        if (to >= 0) {
            return Semantics.op(o, c -> {
                begin(c);
                write(c, to, load(c, from, other));
            });
        }
        return Semantics.op(o, c -> {
            begin(c);
            other.store(c, c.sys.x87.significand[from]);
            c.sys.x87.enterMmx();
        });
    }

    private static Op insertWord(Operands o) {
        int to = register(o, 0);
        Arg from = o.arg(1);
        int shift = 16 * (int) (o.immediate(2) & 3);
        return Semantics.op(o, c -> {
            begin(c);
            long word = from.load(c) & 0xffff;
            write(c, to, c.sys.x87.significand[to] & ~(0xffffL << shift) | word << shift);
        });
    }

    private static Op extractWord(Operands o) {
        Arg to = o.arg(0);
        int from = register(o, 1);
        int shift = 16 * (int) (o.immediate(2) & 3);
        return Semantics.op(o, c -> {
            begin(c);
            c.sys.x87.enterMmx();
            to.store(c, c.sys.x87.significand[from] >>> shift & 0xffff);
        });
    }

    private static Op signMask(Operands o) {
        Arg to = o.arg(0);
        int from = register(o, 1);
        return Semantics.op(o, c -> {
            begin(c);
            c.sys.x87.enterMmx();
            long mask = 0;
            for (int i = 0; i < 8; i++) {
                mask |= (c.sys.x87.significand[from] >>> 8 * i + 7 & 1) << i;
            }
            to.store(c, mask);
        });
    }

    /** MASKMOVQ: bytes whose mask has its top bit set go to DS:rDI. */
    private static Op maskedMove(Operands o) {
        int value = register(o, 0);
        int mask = register(o, 1);
        int segment = o.instruction.segment();
        long wrap = o.instruction.addressSize() == 8 ? -1 : (1L << 8 * o.instruction.addressSize()) - 1;
        return Semantics.op(o, c -> {
            begin(c);
            long chosen = c.sys.x87.significand[mask];
            long at = c.linear(segment, c.r[Gpr.RDI] & wrap, 8, true);
            for (int i = 0; i < 8; i++) {
                if ((chosen >>> 8 * i + 7 & 1) != 0) {
                    c.mem.probeWrite(c.wrap(at + i), 1);
                }
            }
            for (int i = 0; i < 8; i++) {
                if ((chosen >>> 8 * i + 7 & 1) != 0) {
                    c.mem.store8(c.wrap(at + i), c.sys.x87.significand[value] >>> 8 * i);
                }
            }
            c.sys.x87.enterMmx();
        });
    }

    private static void conversions(Map<String, Maker> makers) {
        makers.put("CVTPI2PS", o -> fromIntegers(o, "CVTDQ2PS", false));
        makers.put("CVTPI2PD", o -> fromIntegers(o, "CVTDQ2PD", true));
        makers.put("CVTPS2PI", o -> toIntegers(o, "CVTPS2DQ", false));
        makers.put("CVTTPS2PI", o -> toIntegers(o, "CVTTPS2DQ", false));
        makers.put("CVTPD2PI", o -> toIntegers(o, "CVTPD2DQ", true));
        makers.put("CVTTPD2PI", o -> toIntegers(o, "CVTTPD2DQ", true));
    }

    /** From memory it leaves the x87 state alone; from a register that is MMX state even if #XM follows. */
    private static Op fromIntegers(Operands o, String name, boolean whole) {
        VectorOp operation = VectorOps.find(name).orElseThrow();
        var to = new VectorResult(o, 0);
        int source = register(o, 1);
        Arg memory = o.arg(1);
        return Semantics.op(o, c -> {
            if (source >= 0) {
                begin(c);
                c.sys.x87.enterMmx();
            }
            c.vectorB[0] = load(c, source, memory);
            c.vectorB[1] = 0;
            operation.apply(c.vectorResult, c.vectorB, c.vectorB, 0, 2, c.simd);
            c.concludeSimd();
            to.store(c, c.vectorResult[0], whole ? c.vectorResult[1] : c.sys.ymm[to.words() + 1]);
        });
    }

    private static Op toIntegers(Operands o, String name, boolean whole) {
        VectorOp operation = VectorOps.find(name).orElseThrow();
        int to = register(o, 0);
        var from = new VectorArg(o, 1);
        return Semantics.op(o, c -> {
            begin(c);
            from.load(c, c.vectorB);
            c.vectorB[1] = whole ? c.vectorB[1] : 0;
            operation.apply(c.vectorResult, c.vectorB, c.vectorB, 0, 2, c.simd);
            c.sys.x87.enterMmx();
            c.concludeSimd();
            write(c, to, c.vectorResult[0]);
        });
    }
}
