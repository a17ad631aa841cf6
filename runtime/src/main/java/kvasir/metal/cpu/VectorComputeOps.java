package kvasir.metal.cpu;

import java.util.Map;
import java.util.Optional;
import kvasir.metal.cpu.Semantics.Maker;
import kvasir.metal.cpu.fp.Format;
import kvasir.metal.cpu.isa.Encoding;
import kvasir.metal.cpu.isa.InstructionTable;
import kvasir.metal.cpu.simd.VectorOp;
import kvasir.metal.cpu.simd.VectorOps;

/** XMM and YMM instructions that compute a vector from one, two or three: the mnemonic finds what, here is the rest. */
final class VectorComputeOps {
    private VectorComputeOps() {}

    static void bind(Map<String, Maker> makers) {
        for (Encoding row : InstructionTable.rows()) {
            if (row.usesVectorRegisters() && operation(row).isPresent()) {
                VectorMoveOps.put(makers, row.mnemonic(), VectorComputeOps::compute);
            }
        }
        String[] orders = {"132", "213", "231"};
        for (String kind : new String[] {"FMADD", "FMSUB", "FNMADD", "FNMSUB", "FMADDSUB", "FMSUBADD"}) {
            for (String order : orders) {
                for (String form : new String[] {"PS", "PD", "SS", "SD"}) {
                    makers.put("V" + kind + order + form, o -> multiplyAdd(o, kind, order, form));
                }
            }
        }
        VectorMoveOps.put(makers, "PBLENDVB", o -> blend(o, 8));
        VectorMoveOps.put(makers, "BLENDVPS", o -> blend(o, 32));
        VectorMoveOps.put(makers, "BLENDVPD", o -> blend(o, 64));
        VectorMoveOps.put(makers, "VPBLENDVB", o -> blend(o, 8));
        VectorMoveOps.put(makers, "VBLENDVPS", o -> blend(o, 32));
        VectorMoveOps.put(makers, "VBLENDVPD", o -> blend(o, 64));
        makers.put("VPDPBUSD", o -> dotProduct(o, true, false));
        makers.put("VPDPBUSDS", o -> dotProduct(o, true, true));
        makers.put("VPDPWSSD", o -> dotProduct(o, false, false));
        makers.put("VPDPWSSDS", o -> dotProduct(o, false, true));
        makers.put("SHA256RNDS2", VectorComputeOps::sha256Rounds);
    }

    /** What a row computes; empty if it is none of these instructions. */
    private static Optional<VectorOp> operation(Encoding row) {
        String name = row.vex().isPresent() ? row.mnemonic().substring(1) : row.mnemonic();
        return hasImmediate(row) ? VectorOps.find(name + "/I").or(() -> VectorOps.find(name)) : VectorOps.find(name);
    }

    private static boolean hasImmediate(Encoding row) {
        return row.forms().endsWith("imm8");
    }

    /** Words of the vectors: two, or four with VEX.L. */
    private static int words(Operands o) {
        return o.instruction.encoding().vex().map(Encoding.Vex::l).orElse(0) == 1 ? 4 : 2;
    }

    private static Op compute(Operands o) {
        Encoding row = o.instruction.encoding();
        VectorOp operation = operation(row).orElseThrow();
        boolean immediate = hasImmediate(row);
        int sources = o.count() - (immediate ? 1 : 0);
        // a legacy comparison has eight predicates
        int significant = row.opcode() == 0xc2 && row.vex().isEmpty() ? 7 : 0xff;
        int value = immediate ? (int) o.immediate(sources) & significant : 0;
        boolean shift = immediate && (row.opcode() & 0xfc) == 0x70 && row.reg() >= 0;
        var second = new VectorArg(o, sources - 1);
        int first = shift ? second.words() : new VectorResult(o, sources == 3 ? 1 : 0).words();
        return new Compute(o, operation, first, second, value, words(o));
    }

    /** One operation of {@link VectorOps}. */
    private static final class Compute extends Op {
        private final VectorOp operation;
        private final VectorResult result;
        private final int first;
        private final VectorArg second;
        private final int immediate;
        private final int words;

        Compute(Operands o, VectorOp operation, int first, VectorArg second, int immediate, int words) {
            super(o);
            this.operation = operation;
            this.result = new VectorResult(o, 0);
            this.first = first;
            this.second = second;
            this.immediate = immediate;
            this.words = words;
        }

        @Override
        void run(Cpu c) {
            long[] ymm = c.sys.ymm;
            long[] a = c.vectorA;
            second.load(c, c.vectorB);
            a[0] = ymm[first];
            a[1] = ymm[first + 1];
            a[2] = ymm[first + 2];
            a[3] = ymm[first + 3];
            operation.apply(c.vectorResult, a, c.vectorB, immediate, words, c.simd);
            if ((c.simd.flags | c.simd.settled) != 0) {
                c.concludeSimd();
            }
            result.store(c, c.vectorResult, words);
        }
    }

    private static Op multiplyAdd(Operands o, String kind, String order, String form) {
        Format format = form.endsWith("S") ? Format.SINGLE : Format.DOUBLE;
        boolean scalar = form.startsWith("S");
        boolean negateProduct = kind.startsWith("FN");
        boolean negateEven = kind.equals("FMSUB") || kind.equals("FNMSUB") || kind.equals("FMADDSUB");
        boolean negateOdd = kind.equals("FMSUB") || kind.equals("FNMSUB") || kind.equals("FMSUBADD");
        boolean addsSecond = order.equals("132");
        boolean addsFirst = order.equals("231");
        var destination = new VectorResult(o, 0);
        int middle = new VectorResult(o, 1).words();
        var last = new VectorArg(o, 2);
        int words = words(o);
        return Semantics.op(o, c -> {
            last.load(c, c.vectorB);
            long[] ymm = c.sys.ymm;
            long[] d = c.vectorResult;
            long[] a = c.vectorA;
            System.arraycopy(ymm, destination.words(), d, 0, 4);
            System.arraycopy(ymm, middle, a, 0, 4);
            long[] b = c.vectorB;
            // the digits name the operands of x * y + z
            long[] x = addsSecond ? d : a;
            long[] y = addsFirst || addsSecond ? b : d;
            long[] z = addsFirst ? d : addsSecond ? a : b;
            VectorOps.multiplyAdd(format, scalar, negateProduct, negateEven, negateOdd, d, x, y, z, words, c.simd);
            c.concludeSimd();
            destination.store(c, d, words);
        });
    }

    private static Op dotProduct(Operands o, boolean bytes, boolean saturates) {
        var destination = new VectorResult(o, 0);
        int first = new VectorResult(o, 1).words();
        var second = new VectorArg(o, 2);
        int words = words(o);
        return Semantics.op(o, c -> {
            second.load(c, c.vectorB);
            System.arraycopy(c.sys.ymm, destination.words(), c.vectorResult, 0, 4);
            System.arraycopy(c.sys.ymm, first, c.vectorA, 0, 4);
            VectorOps.dotProduct(c.vectorResult, c.vectorA, c.vectorB, bytes, saturates, words);
            destination.store(c, c.vectorResult, words);
        });
    }

    private static Op blend(Operands o, int bits) {
        boolean vex = o.count() == 4;
        var destination = new VectorResult(o, 0);
        int first = new VectorResult(o, vex ? 1 : 0).words();
        var second = new VectorArg(o, vex ? 2 : 1);
        int mask = new VectorResult(o, vex ? 3 : 2).words();
        int words = words(o);
        return Semantics.op(o, c -> {
            second.load(c, c.vectorB);
            System.arraycopy(c.sys.ymm, first, c.vectorA, 0, 4);
            VectorOps.blendVariable(bits, c.vectorResult, c.vectorA, c.vectorB, c.sys.ymm, mask, words);
            destination.store(c, c.vectorResult, words);
        });
    }

    private static Op sha256Rounds(Operands o) {
        var destination = new VectorResult(o, 0);
        var second = new VectorArg(o, 1);
        return Semantics.op(o, c -> {
            second.load(c, c.vectorB);
            System.arraycopy(c.sys.ymm, destination.words(), c.vectorA, 0, 4);
            VectorOps.sha256Rounds(c.vectorResult, c.vectorA, c.vectorB, c.sys.ymm);
            destination.store(c, c.vectorResult, 2);
        });
    }
}
