package kvasir.metal.cpu;

import java.util.Map;
import java.util.Optional;
import kvasir.metal.cpu.Semantics.Maker;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.metal.cpu.isa.Operand;
import kvasir.metal.cpu.isa.Register;

/** Moves to, from and between XMM and YMM registers: whole, by halves, by elements, broadcast, masked. */
final class VectorMoveOps {
    private VectorMoveOps() {}

    static void bind(Map<String, Maker> makers) {
        for (String name : new String[] {
            "MOVUPS",
            "MOVUPD",
            "MOVDQU",
            "MOVAPS",
            "MOVAPD",
            "MOVDQA",
            "MOVNTPS",
            "MOVNTPD",
            "MOVNTDQ",
            "MOVNTDQA",
            "LDDQU",
            "MOVNTSS",
            "MOVNTSD"
        }) {
            makers.put(name, VectorMoveOps::whole);
            makers.put("V" + name, VectorMoveOps::whole);
        }
        both(makers, "MOVSS", o -> scalar(o, 0xffff_ffffL));
        both(makers, "MOVSD", o -> scalar(o, -1));
        both(makers, "MOVD", VectorMoveOps::general);
        both(makers, "MOVQ", VectorMoveOps::general);
        for (String form : new String[] {"S", "D"}) {
            both(makers, "MOVLP" + form, o -> half(o, 0, 0));
            both(makers, "MOVHP" + form, o -> half(o, 1, 0));
        }
        both(makers, "MOVHLPS", o -> half(o, 0, 1));
        both(makers, "MOVLHPS", o -> half(o, 1, 0));
        both(makers, "MOVDDUP", o -> duplicate(o, 64, 0));
        both(makers, "MOVSLDUP", o -> duplicate(o, 32, 0));
        both(makers, "MOVSHDUP", o -> duplicate(o, 32, 1));
        both(makers, "MOVMSKPS", o -> mask(o, 32));
        both(makers, "MOVMSKPD", o -> mask(o, 64));
        both(makers, "PMOVMSKB", o -> mask(o, 8));
        both(makers, "PINSRB", o -> insert(o, 8));
        both(makers, "PINSRW", o -> insert(o, 16));
        both(makers, "PINSRD", o -> insert(o, 32));
        both(makers, "PINSRQ", o -> insert(o, 64));
        both(makers, "PEXTRB", o -> extract(o, 8));
        both(makers, "PEXTRW", o -> extract(o, 16));
        both(makers, "PEXTRD", o -> extract(o, 32));
        both(makers, "PEXTRQ", o -> extract(o, 64));
        both(makers, "EXTRACTPS", o -> extract(o, 32));
        both(makers, "INSERTPS", VectorMoveOps::insertSingle);
        both(makers, "MASKMOVDQU", VectorMoveOps::maskedBytes);
        makers.put("VEXTRACTF128", VectorMoveOps::extractLane);
        makers.put("VEXTRACTI128", VectorMoveOps::extractLane);
        makers.put("VBROADCASTSS", o -> broadcast(o, 32));
        makers.put("VBROADCASTSD", o -> broadcast(o, 64));
        makers.put("VBROADCASTF128", o -> broadcast(o, 128));
        makers.put("VBROADCASTI128", o -> broadcast(o, 128));
        makers.put("VPBROADCASTB", o -> broadcast(o, 8));
        makers.put("VPBROADCASTW", o -> broadcast(o, 16));
        makers.put("VPBROADCASTD", o -> broadcast(o, 32));
        makers.put("VPBROADCASTQ", o -> broadcast(o, 64));
        makers.put("VMASKMOVPS", o -> masked(o, 4));
        makers.put("VMASKMOVPD", o -> masked(o, 8));
        makers.put("VPMASKMOVD", o -> masked(o, 4));
        makers.put("VPMASKMOVQ", o -> masked(o, 8));
        makers.put("VZEROUPPER", o -> zero(o, 2));
        makers.put("VZEROALL", o -> zero(o, 0));
        makers.put("EXTRQ", VectorMoveOps::extractField);
        makers.put("INSERTQ", VectorMoveOps::insertField);
        for (String name : new String[] {"PGATHERDD", "PGATHERQD", "GATHERDPS", "GATHERQPS"}) {
            makers.put("V" + name, o -> gather(o, 4, name.contains("ERD") ? 4 : 8));
        }
        for (String name : new String[] {"PGATHERDQ", "PGATHERQQ", "GATHERDPD", "GATHERQPD"}) {
            makers.put("V" + name, o -> gather(o, 8, name.contains("ERD") ? 4 : 8));
        }
    }

    private static void both(Map<String, Maker> makers, String mnemonic, Maker maker) {
        put(makers, mnemonic, maker);
        makers.put("V" + mnemonic, maker);
    }

    /** Binds rows of a mnemonic with vector operands; its rows without keep the maker they have. */
    static void put(Map<String, Maker> makers, String mnemonic, Maker maker) {
        Optional<Maker> other = Optional.ofNullable(makers.get(mnemonic));
        makers.put(
                mnemonic,
                other.isEmpty()
                        ? maker
                        : o -> o.instruction.encoding().usesVectorRegisters()
                                ? maker.make(o)
                                : other.get().make(o));
    }

    private static boolean wide(Operands o, int number) {
        return o.instruction.operand(number) instanceof Operand.Reg(Register register)
                && register.file() == Register.File.YMM;
    }

    private static int words(Operands o) {
        return wide(o, 0) || wide(o, o.count() > 1 ? 1 : 0) ? 4 : 2;
    }

    private static Op whole(Operands o) {
        if (o.isMemory(0)) {
            return new Store(o);
        }
        var source = new VectorArg(o, 1);
        if (!source.wideMemory()) {
            return new Load(o);
        }
        var result = new VectorResult(o, 0);
        int words = words(o);
        return Semantics.op(o, c -> {
            source.loadRegister(c, result.words());
            result.clearAbove(c, words);
        });
    }

    /** A whole register from a register or memory. */
    private static final class Load extends Op {
        private final VectorResult result;
        private final VectorArg source;
        private final int words;

        Load(Operands o) {
            super(o);
            result = new VectorResult(o, 0);
            source = new VectorArg(o, 1);
            words = words(o);
        }

        @Override
        void run(Cpu c) {
            source.load(c, c.vectorResult);
            result.store(c, c.vectorResult, words);
        }
    }

    /** Memory from a register. */
    private static final class Store extends Op {
        private final VectorArg target;
        private final int source;

        Store(Operands o) {
            super(o);
            target = new VectorArg(o, 0);
            source = new VectorResult(o, 1).words();
        }

        @Override
        void run(Cpu c) {
            target.storeMemory(c, c.sys.ymm, source);
        }
    }

    /** MOVSS and MOVSD: a load clears what is above the element, a move between registers takes it from elsewhere. */
    private static Op scalar(Operands o, long mask) {
        if (o.isMemory(0)) {
            return new Store(o);
        }
        if (o.isMemory(1)) {
            return new Load(o);
        }
        var result = new VectorResult(o, 0);
        int rest = new VectorResult(o, o.count() == 3 ? 1 : 0).words();
        int source = new VectorResult(o, o.count() - 1).words();
        return Semantics.op(o, c -> {
            long[] ymm = c.sys.ymm;
            result.store(c, ymm[rest] & ~mask | ymm[source] & mask, ymm[rest + 1]);
        });
    }

    /** MOVD and MOVQ: to a vector zero extended, from a vector the low bits. */
    private static Op general(Operands o) {
        boolean toVector = o.instruction.operand(0) instanceof Operand.Reg(Register register)
                && register.file() == Register.File.XMM;
        if (!toVector) {
            Arg target = o.arg(0);
            int source = new VectorResult(o, 1).words();
            return Semantics.op(o, c -> target.store(c, c.sys.ymm[source]));
        }
        var result = new VectorResult(o, 0);
        if (o.instruction.operand(1) instanceof Operand.Reg(Register register)
                && register.file() == Register.File.XMM) {
            int source = register.number() * 4;
            return Semantics.op(o, c -> result.store(c, c.sys.ymm[source], 0));
        }
        Arg source = o.arg(1);
        return Semantics.op(o, c -> result.store(c, source.load(c), 0));
    }

    /**
     * MOVLPS, MOVHPS and the like: one half of a register; the other stays, or comes from the middle operand.
     *
     * @param into 0 for the low half, 1 for the high
     * @param from half of a register source
     */
    private static Op half(Operands o, int into, int from) {
        if (o.isMemory(0)) {
            Arg target = o.arg(0);
            int source = new VectorResult(o, 1).words() + into;
            return Semantics.op(o, c -> target.store(c, c.sys.ymm[source]));
        }
        var result = new VectorResult(o, 0);
        int rest = new VectorResult(o, o.count() == 3 ? 1 : 0).words();
        var source = new VectorArg(o, o.count() - 1);
        return Semantics.op(o, c -> {
            source.load(c, c.vectorB);
            long value = c.vectorB[from];
            long other = c.sys.ymm[rest + 1 - into];
            result.store(c, into == 0 ? value : other, into == 0 ? other : value);
        });
    }

    private static Op duplicate(Operands o, int bits, int odd) {
        var result = new VectorResult(o, 0);
        var source = new VectorArg(o, 1);
        int words = words(o);
        return Semantics.op(o, c -> {
            source.load(c, c.vectorB);
            long[] d = c.vectorResult;
            for (int i = 0; i < words; i++) {
                long word = c.vectorB[bits == 64 ? i & 2 : i];
                long element = word >>> 32 * odd & 0xffff_ffffL;
                d[i] = bits == 64 ? word : element | element << 32;
            }
            result.store(c, d, words);
        });
    }

    private static Op mask(Operands o, int bits) {
        Arg target = o.arg(0);
        var source = new VectorArg(o, 1);
        int words = words(o);
        return Semantics.op(o, c -> {
            source.load(c, c.vectorB);
            target.store(c, kvasir.metal.cpu.simd.VectorOps.signMask(c.vectorB, bits, words) & 0xffff_ffffL);
        });
    }

    private static Op insert(Operands o, int bits) {
        var result = new VectorResult(o, 0);
        int first = new VectorResult(o, o.count() - 3).words();
        Arg source = o.arg(o.count() - 2);
        int element = (int) o.immediate(o.count() - 1) & 128 / bits - 1;
        int word = element * bits >> 6;
        int shift = element * bits & 63;
        long mask = (-1L >>> 64 - bits) << shift;
        return Semantics.op(o, c -> {
            long value = source.load(c) << shift & mask;
            long low = c.sys.ymm[first];
            long high = c.sys.ymm[first + 1];
            result.store(c, word == 0 ? low & ~mask | value : low, word == 1 ? high & ~mask | value : high);
        });
    }

    private static Op extract(Operands o, int bits) {
        Arg target = o.arg(0);
        int element = (int) o.immediate(2) & 128 / bits - 1;
        int source = new VectorResult(o, 1).words() + (element * bits >> 6);
        int shift = element * bits & 63;
        long mask = -1L >>> 64 - bits;
        return Semantics.op(o, c -> target.store(c, c.sys.ymm[source] >>> shift & mask));
    }

    private static Op insertSingle(Operands o) {
        var result = new VectorResult(o, 0);
        int first = new VectorResult(o, o.count() - 3).words();
        var source = new VectorArg(o, o.count() - 2);
        int immediate = (int) o.immediate(o.count() - 1);
        int from = source.inRegister() ? immediate >> 6 & 3 : 0;
        int into = immediate >> 4 & 3;
        return Semantics.op(o, c -> {
            source.load(c, c.vectorB);
            long value = c.vectorB[from >> 1] >>> 32 * (from & 1) & 0xffff_ffffL;
            long[] d = c.vectorResult;
            for (int word = 0; word < 2; word++) {
                long low = c.sys.ymm[first + word] & 0xffff_ffffL;
                long high = c.sys.ymm[first + word] >>> 32;
                low = into == 2 * word ? value : low;
                high = into == 2 * word + 1 ? value : high;
                low = (immediate >> 2 * word & 1) != 0 ? 0 : low;
                high = (immediate >> 2 * word + 1 & 1) != 0 ? 0 : high;
                d[word] = low | high << 32;
            }
            result.store(c, d, 2);
        });
    }

    private static Op extractLane(Operands o) {
        int source = new VectorResult(o, 1).words() + ((int) o.immediate(2) & 1) * 2;
        if (o.isMemory(0)) {
            var target = new VectorArg(o, 0);
            return Semantics.op(o, c -> target.storeMemory(c, c.sys.ymm, source));
        }
        var result = new VectorResult(o, 0);
        return Semantics.op(o, c -> result.store(c, c.sys.ymm[source], c.sys.ymm[source + 1]));
    }

    private static Op broadcast(Operands o, int bits) {
        var result = new VectorResult(o, 0);
        var source = new VectorArg(o, 1);
        int words = wide(o, 0) ? 4 : 2;
        long mask = bits >= 64 ? -1 : (1L << bits) - 1;
        return Semantics.op(o, c -> {
            source.load(c, c.vectorB);
            long low = c.vectorB[0] & mask;
            for (int filled = bits; filled < 64; filled *= 2) {
                low |= low << filled;
            }
            long high = bits == 128 ? c.vectorB[1] : low;
            long[] d = c.vectorResult;
            d[0] = low;
            d[1] = high;
            d[2] = low;
            d[3] = high;
            result.store(c, d, words);
        });
    }

    private static boolean selected(long[] mask, int at, int bytes, int element) {
        return bytes == 8 ? mask[at + element] < 0 : mask[at + (element >> 1)] << 32 * (~element & 1) < 0;
    }

    /** Memory that the mask does not select is not touched and cannot fault. */
    private static Op masked(Operands o, int bytes) {
        int mask = new VectorResult(o, 1).words();
        int words = wide(o, 1) ? 4 : 2;
        int count = words * 8 / bytes;
        if (o.isMemory(0)) {
            Address target = o.arg(0).address;
            int source = new VectorResult(o, 2).words();
            return Semantics.op(o, c -> {
                long[] ymm = c.sys.ymm;
                for (int i = 0; i < count; i++) {
                    if (selected(ymm, mask, bytes, i)) {
                        c.mem.probeWrite(target.linear(c, (long) i * bytes, bytes, true), bytes);
                    }
                }
                for (int i = 0; i < count; i++) {
                    if (selected(ymm, mask, bytes, i)) {
                        long value = ymm[source + i * bytes / 8] >>> 8 * (i * bytes & 7);
                        c.mem.store(target.linear(c, (long) i * bytes, bytes, true), bytes, value);
                    }
                }
            });
        }
        var result = new VectorResult(o, 0);
        Address source = o.arg(2).address;
        return Semantics.op(o, c -> {
            long[] d = c.vectorResult;
            java.util.Arrays.fill(d, 0);
            for (int i = 0; i < count; i++) {
                if (selected(c.sys.ymm, mask, bytes, i)) {
                    long value = c.mem.load(source.linear(c, (long) i * bytes, bytes, false), bytes);
                    d[i * bytes / 8] |= value << 8 * (i * bytes & 7);
                }
            }
            result.store(c, d, words);
        });
    }

    /** MASKMOVDQU: single bytes to where RDI points. */
    private static Op maskedBytes(Operands o) {
        int source = new VectorResult(o, 0).words();
        int mask = new VectorResult(o, 1).words();
        int segment = o.instruction.segment();
        long limit = o.instruction.addressSize() == 8 ? -1 : (1L << 8 * o.instruction.addressSize()) - 1;
        return Semantics.op(o, c -> {
            long[] ymm = c.sys.ymm;
            long start = c.r[Gpr.RDI];
            for (int pass = 0; pass < 2; pass++) {
                for (int i = 0; i < 16; i++) {
                    int shift = 8 * (i & 7);
                    if ((ymm[mask + (i >> 3)] >>> shift & 0x80) == 0) {
                        continue;
                    }
                    long linear = c.linear(segment, start + i & limit, 1, true);
                    if (pass == 0) {
                        c.mem.probeWrite(linear, 1);
                    } else {
                        c.mem.store8(linear, ymm[source + (i >> 3)] >>> shift);
                    }
                }
            }
        });
    }

    private static Op zero(Operands o, int from) {
        int registers = o.codeSize == CodeSize.BITS64 ? 16 : 8;
        return Semantics.op(o, c -> {
            for (int i = 0; i < registers; i++) {
                java.util.Arrays.fill(c.sys.ymm, i * 4 + from, i * 4 + 4, 0);
            }
        });
    }

    /** SSE4a: a bit field of the low quadword, by immediates or by the second operand. */
    private static Op extractField(Operands o) {
        int target = new VectorResult(o, 0).words();
        boolean immediate = o.count() == 3;
        int source = immediate ? 0 : new VectorResult(o, 1).words();
        int length = immediate ? (int) o.immediate(1) : 0;
        int index = immediate ? (int) o.immediate(2) : 0;
        return Semantics.op(o, c -> {
            long[] ymm = c.sys.ymm;
            int bits = immediate ? length : (int) ymm[source];
            int at = immediate ? index : (int) (ymm[source] >>> 8);
            ymm[target] = ymm[target] >>> (at & 63) & fieldMask(bits);
            ymm[target + 1] = 0;
        });
    }

    private static Op insertField(Operands o) {
        int target = new VectorResult(o, 0).words();
        int source = new VectorResult(o, 1).words();
        boolean immediate = o.count() == 4;
        int length = immediate ? (int) o.immediate(2) : 0;
        int index = immediate ? (int) o.immediate(3) : 0;
        return Semantics.op(o, c -> {
            long[] ymm = c.sys.ymm;
            long control = ymm[source + 1];
            int at = (immediate ? index : (int) (control >>> 8)) & 63;
            long mask = fieldMask(immediate ? length : (int) control);
            ymm[target] = ymm[target] & ~(mask << at) | (ymm[source] & mask) << at;
            ymm[target + 1] = 0;
        });
    }

    /** A field of 0 bits means 64. */
    private static long fieldMask(int length) {
        return -1L >>> (-length & 63);
    }

    /**
     * A gather: an element that faults leaves those before it loaded and their mask elements clear, so that the
     * instruction goes on when it is run again.
     */
    private static Op gather(Operands o, int bytes, int indexBytes) {
        int target = new VectorResult(o, 0).words();
        int mask = new VectorResult(o, 2).words();
        var memory = (Operand.Vsib) o.instruction.operand(1);
        int indices = memory.index().number() * 4;
        int scale = Integer.numberOfTrailingZeros(memory.memory().scale());
        var where = new Address(memory.memory(), o.end);
        int indexWords = memory.index().file() == Register.File.YMM ? 4 : 2;
        int words = wide(o, 0) ? 4 : 2;
        int count = Math.min(words * 8 / bytes, indexWords * 8 / indexBytes);
        return Semantics.op(o, c -> {
            long[] ymm = c.sys.ymm;
            spread(ymm, mask, bytes, count);
            for (int i = 0; i < count; i++) {
                if (selected(ymm, mask, bytes, i)) {
                    long index = indexBytes == 8 ? ymm[indices + i] : (int) (ymm[indices + (i >> 1)] >>> 32 * (i & 1));
                    long value = c.mem.load(where.linear(c, index << scale, bytes, false), bytes);
                    put(ymm, target, bytes, i, value);
                    put(ymm, mask, bytes, i, 0);
                }
            }
            int used = count * bytes / 8;
            java.util.Arrays.fill(ymm, target + used, target + 4, 0);
            java.util.Arrays.fill(ymm, mask, mask + 4, 0);
        });
    }

    /** Makes each element of the mask all its sign. */
    private static void spread(long[] ymm, int mask, int bytes, int count) {
        for (int i = 0; i < count; i++) {
            put(ymm, mask, bytes, i, selected(ymm, mask, bytes, i) ? -1 : 0);
        }
    }

    private static void put(long[] ymm, int at, int bytes, int element, long value) {
        if (bytes == 8) {
            ymm[at + element] = value;
        } else {
            int word = at + (element >> 1);
            int shift = 32 * (element & 1);
            ymm[word] = ymm[word] & ~(0xffff_ffffL << shift) | (value & 0xffff_ffffL) << shift;
        }
    }
}
