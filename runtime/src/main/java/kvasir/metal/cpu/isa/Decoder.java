package kvasir.metal.cpu.isa;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.cpu.Segment;
import kvasir.metal.cpu.isa.Encoding.OpcodeMap;
import kvasir.metal.cpu.isa.Encoding.Prefix;

/** Bytes to instructions, by the table. One object decodes one instruction at a time. */
public final class Decoder {
    private static final int MOST_BYTES = 15;
    private static final int NONE = -1;

    private final CodeSize codeSize;
    private final CpuidModel model;
    private final boolean protectedMode;

    private byte[] code = {};
    private int start;
    private int at;
    private int end;

    private boolean operandPrefix;
    private boolean addressPrefix;
    private boolean lock;
    private int repeat;
    private int segment;
    private int rex;
    private boolean vex;
    private int vexL;
    private int vexW;
    private int vexV;

    /** Whether VEX.vvvv is 1111b, as it must be where it names no register. */
    private boolean vexUnused;

    private int modrm;
    private int operandSize;
    private int addressSize;
    private Optional<Operand.Mem> memory = Optional.empty();
    private int vectorIndex;

    /** Ends a decode early; never leaves this class. */
    private static final class Stop extends RuntimeException {
        private static final long serialVersionUID = 1;

        private final transient Decoded result;

        Stop(Decoded result) {
            super("", null, false, false);
            this.result = result;
        }
    }

    /**
     * @param codeSize 16, 32 or 64-bit code
     * @param model whose features decide which rows exist
     * @param protectedMode false in real and virtual-8086 mode
     */
    public Decoder(CodeSize codeSize, CpuidModel model, boolean protectedMode) {
        this.codeSize = codeSize;
        this.model = model;
        this.protectedMode = protectedMode;
    }

    /** Decodes the instruction at {@code bytes[from]}; bytes from {@code to} on are not there. */
    public Decoded decode(byte[] bytes, int from, int to) {
        code = bytes;
        start = from;
        at = from;
        end = to;
        try {
            return decode();
        } catch (Stop stop) {
            return stop.result;
        }
    }

    private Decoded decode() {
        prefixes();
        int opcode = next();
        OpcodeMap map = OpcodeMap.ONE;
        if (vexFollows(opcode)) {
            if (lock || operandPrefix || repeat != 0 || rex != 0) {
                throw undefined();
            }
            map = vexPrefix(opcode);
            opcode = next();
        } else if (opcode == 0x0f) {
            opcode = next();
            map = OpcodeMap.TWO_0F;
            if (opcode == 0x38 || opcode == 0x3a) {
                map = opcode == 0x38 ? OpcodeMap.THREE_0F38 : OpcodeMap.THREE_0F3A;
                opcode = next();
            }
        }
        modrm = NONE;
        for (Encoding row : InstructionTable.candidates(map, opcode, vex)) {
            if (row.modrm() && modrm == NONE) {
                modrm = next();
            }
            if (matches(row)) {
                return finish(row, opcode);
            }
        }
        throw undefined();
    }

    private void prefixes() {
        operandPrefix = false;
        addressPrefix = false;
        lock = false;
        repeat = 0;
        segment = NONE;
        rex = 0;
        vex = false;
        vexL = 0;
        vexW = 0;
        vexV = NONE;
        memory = Optional.empty();
        while (true) {
            int prefix = next();
            switch (prefix) {
                case 0x66 -> operandPrefix = true;
                case 0x67 -> addressPrefix = true;
                case 0xf0 -> lock = true;
                case 0xf2, 0xf3 -> repeat = prefix;
                case 0x26, 0x2e, 0x36, 0x3e -> {
                    if (codeSize != CodeSize.BITS64) {
                        segment = prefix >> 3 & 3;
                    }
                }
                case 0x64 -> segment = Segment.FS;
                case 0x65 -> segment = Segment.GS;
                default -> {
                    if (codeSize == CodeSize.BITS64 && (prefix & 0xf0) == 0x40) {
                        rex = prefix;
                        continue;
                    }
                    at--;
                    return;
                }
            }
            rex = 0;
        }
    }

    private boolean vexFollows(int opcode) {
        if (opcode != 0xc4 && opcode != 0xc5) {
            return false;
        }
        return codeSize == CodeSize.BITS64 || (protectedMode && (peek() & 0xc0) == 0xc0);
    }

    private OpcodeMap vexPrefix(int lead) {
        vex = true;
        int first = next();
        int last = first;
        int map = 1;
        rex = (first & 0x80) != 0 ? 0 : 4;
        if (lead == 0xc4) {
            map = first & 31;
            rex |= (first & 0x40) != 0 ? 0 : 2;
            rex |= (first & 0x20) != 0 ? 0 : 1;
            last = next();
            vexW = last >> 7;
            rex |= vexW << 3;
        }
        vexV = ~last >> 3 & 15;
        vexUnused = vexV == 0;
        if (codeSize != CodeSize.BITS64) {
            rex = 0;
            vexV &= 7;
        }
        vexL = last >> 2 & 1;
        switch (last & 3) {
            case 1 -> operandPrefix = true;
            case 2 -> repeat = 0xf3;
            case 3 -> repeat = 0xf2;
            default -> {}
        }
        return switch (map) {
            case 1 -> OpcodeMap.TWO_0F;
            case 2 -> OpcodeMap.THREE_0F38;
            case 3 -> OpcodeMap.THREE_0F3A;
            default -> throw undefined();
        };
    }

    private boolean matches(Encoding row) {
        boolean prefixFits = switch (row.prefix()) {
            case ANY -> true;
            case NP -> !operandPrefix && repeat == 0;
            case P66 -> operandPrefix && repeat == 0;
            case PF2 -> repeat == 0xf2;
            case PF3 -> repeat == 0xf3;
        };
        if (!prefixFits
                || (row.fixedModrm() >= 0 && row.fixedModrm() != modrm)
                || (row.reg() >= 0 && row.reg() != (modrm >> 3 & 7))
                || (row.feature().isPresent() && !model.has(row.feature().get()))) {
            return false;
        }
        if (row.vex().isPresent()) {
            Encoding.Vex wanted = row.vex().get();
            if ((wanted.l() >= 0 && wanted.l() != vexL) || (wanted.w() >= 0 && wanted.w() != vexW)) {
                return false;
            }
        }
        return modrmFits(row) && (row.attributes().isEmpty() || attributesFit(row));
    }

    private boolean modrmFits(Encoding row) {
        boolean register = modrm >= 0xc0 || ignoresMod(row);
        for (Spec spec : row.operands()) {
            if ((spec.kind() == 'M' || spec.kind() == 'X') && register) {
                return false;
            }
            // VSIB needs a SIB byte, which 16-bit addressing does not have
            if (spec.kind() == 'X' && ((modrm & 7) != 4 || addressSize() == 2)) {
                return false;
            }
            if ((spec.kind() == 'R' || spec.kind() == 'U' || spec.kind() == 'N' || spec.kind() == 'T') && !register) {
                return false;
            }
        }
        return true;
    }

    /** MOV to and from control and debug registers takes ModRM.rm as a register whatever mod says. */
    private static boolean ignoresMod(Encoding row) {
        return row.map() == OpcodeMap.TWO_0F && (row.opcode() & 0xfc) == 0x20;
    }

    private boolean attributesFit(Encoding row) {
        boolean bits64 = codeSize == CodeSize.BITS64;
        sizes(row);
        return !(row.is("i64") && bits64)
                && !(row.is("x64") && !bits64)
                && !(row.is("nob") && (rex & 1) != 0)
                && !(row.is("pm") && !protectedMode)
                && !(row.is("o16") && operandSize != 2)
                && !(row.is("o32") && operandSize != 4)
                && !(row.is("o64") && operandSize != 8)
                && !(row.is("a16") && addressSize != 2)
                && !(row.is("a32") && addressSize != 4)
                && !(row.is("a64") && addressSize != 8);
    }

    private void sizes(Encoding row) {
        boolean prefix = operandPrefix && (row.prefix() != Prefix.P66 || row.is("o66"));
        if (codeSize == CodeSize.BITS64) {
            if (row.is("f64") || (rex & 8) != 0) {
                operandSize = 8;
            } else if (prefix) {
                operandSize = 2;
            } else {
                operandSize = row.is("d64") ? 8 : 4;
            }
        } else {
            operandSize = (codeSize == CodeSize.BITS32) == prefix ? 2 : 4;
        }
        addressSize = addressSize();
    }

    private int addressSize() {
        if (codeSize == CodeSize.BITS64) {
            return addressPrefix ? 4 : 8;
        }
        return (codeSize == CodeSize.BITS32) == addressPrefix ? 2 : 4;
    }

    private Decoded finish(Encoding row, int opcode) {
        sizes(row);
        if (modrm >= 0 && modrm < 0xc0 && row.fixedModrm() < 0 && !ignoresMod(row)) {
            modrmMemory(row.gathers());
        }
        var operands = new ArrayList<Operand>(row.operands().size());
        for (Spec spec : row.operands()) {
            operands.add(operand(row, spec, opcode));
        }
        if (lock && !(row.is("lock") && operands.getFirst() instanceof Operand.Mem)) {
            throw undefined();
        }
        if (vex && !vexUnused && !usesV(row.operands())) {
            throw undefined();
        }
        if (row.gathers() && !distinct(operands)) {
            throw undefined();
        }
        int inForce = segment == NONE ? Segment.DS : segment;
        return new Instruction(
                row, at - start, operandSize, addressSize, lock, repeat, inForce, List.copyOf(operands), modrm);
    }

    /** A gather needs three different registers (SDM volume 2, VPGATHERDD). */
    private static boolean distinct(List<Operand> operands) {
        int destination = ((Operand.Reg) operands.get(0)).register().number();
        int index = ((Operand.Vsib) operands.get(1)).index().number();
        int mask = ((Operand.Reg) operands.get(2)).register().number();
        return destination != index && destination != mask && index != mask;
    }

    private static boolean usesV(List<Spec> specs) {
        for (Spec spec : specs) {
            if (spec.kind() == 'B' || spec.kind() == 'H') {
                return true;
            }
        }
        return false;
    }

    private Operand operand(Encoding row, Spec spec, int opcode) {
        boolean wide = (rex & 8) != 0;
        boolean bits64 = codeSize == CodeSize.BITS64;
        int rm = modrm & 7 | (rex & 1) << 3;
        int reg = modrm >> 3 & 7 | (rex & 4) << 1;
        return switch (spec.kind()) {
            case 'E', 'W', 'Q', 'M' ->
                memory.isPresent()
                        ? sized(memory.get(), spec.memoryBytes(operandSize, wide, bits64, vexL != 0))
                        : register(spec, rm);
            case 'R', 'U', 'N' -> register(spec, rm);
            case 'X' ->
                new Operand.Vsib(
                        sized(memory.get(), spec.memoryBytes(operandSize, wide, bits64, false)),
                        new Register(spec.size().equals("qq") ? Register.File.YMM : Register.File.XMM, vectorIndex));
            case 'T' -> new Operand.Reg(new Register(Register.File.X87, modrm & 7));
            case 'G', 'V', 'P' -> register(spec, reg);
            case 'Z' -> register(spec, opcode & 7 | (rex & 1) << 3);
            case 'B', 'H' -> register(spec, vexV);
            case 'L' -> register(spec, next() >> 4 & (bits64 ? 15 : 7));
            case 'S' -> new Operand.Reg(new Register(Register.File.SEGMENT, atMost(5, modrm >> 3 & 7)));
            case 'C' -> new Operand.Reg(new Register(Register.File.CONTROL, reg));
            case 'D' -> new Operand.Reg(new Register(Register.File.DEBUG, atMost(7, reg)));
            case 'I' ->
                new Operand.Imm(signed(spec.immediateBytes(operandSize)), spec.bytes(operandSize, wide, bits64, false));
            case 'J' -> new Operand.Rel(signed(spec.size().equals("b") ? 1 : Math.min(operandSize, 4)));
            case 'A' -> {
                long offset = signed(operandSize) & (operandSize == 2 ? 0xffffL : 0xffff_ffffL);
                yield new Operand.Far((int) signed(2) & 0xffff, offset);
            }
            case 'O' ->
                new Operand.Mem(
                        spec.memoryBytes(operandSize, wide, bits64, false),
                        addressSize,
                        segmentOr(false),
                        Optional.empty(),
                        Optional.empty(),
                        1,
                        unsigned(addressSize),
                        false);
            case '1' -> new Operand.Imm(1, 1);
            case 'F' ->
                new Operand.Reg(
                        spec.size().isEmpty()
                                ? Register.named(spec.fixed()).orElseThrow()
                                : Register.general(spec.bytes(operandSize, wide, bits64, false), 0));
            default -> throw new IllegalStateException("spec " + spec.kind() + " in " + row.mnemonic());
        };
    }

    private static Stop undefined() {
        return new Stop(new Decoded.Undefined());
    }

    private static int atMost(int most, int number) {
        if (number > most) {
            throw undefined();
        }
        return number;
    }

    private static Operand.Mem sized(Operand.Mem m, int bytes) {
        return new Operand.Mem(
                bytes, m.addressBytes(), m.segment(), m.base(), m.index(), m.scale(), m.displacement(), m.relative());
    }

    private Operand register(Spec spec, int number) {
        int bytes = spec.bytes(operandSize, (rex & 8) != 0, codeSize == CodeSize.BITS64, vexL != 0);
        return new Operand.Reg(
                switch (spec.kind()) {
                    case 'P', 'Q', 'N' -> new Register(Register.File.MMX, number & 7);
                    case 'V', 'W', 'U', 'H', 'L' ->
                        new Register(bytes == 32 ? Register.File.YMM : Register.File.XMM, number);
                    default ->
                        bytes == 1 && rex == 0 && !vex && number >= 4
                                ? new Register(Register.File.HIGH, number - 4)
                                : Register.general(bytes, number);
                });
    }

    private void modrmMemory(boolean indexIsVector) {
        int mod = modrm >> 6;
        int rm = modrm & 7;
        if (addressSize == 2) {
            memory16(mod, rm);
            return;
        }
        int base = rm | (rex & 1) << 3;
        int index = NONE;
        int scale = 1;
        int displacementBytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;
        boolean relative = false;
        if (rm == 4) {
            int sib = next();
            int i = sib >> 3 & 7 | (rex & 2) << 2;
            if (indexIsVector) {
                vectorIndex = i;
                scale = 1 << (sib >> 6);
            } else if (i != 4) {
                index = i;
                scale = 1 << (sib >> 6);
            }
            base = sib & 7 | (rex & 1) << 3;
            if ((sib & 7) == 5 && mod == 0) {
                base = NONE;
                displacementBytes = 4;
            }
        } else if (rm == 5 && mod == 0) {
            base = NONE;
            displacementBytes = 4;
            relative = codeSize == CodeSize.BITS64;
        }
        long displacement = displacementBytes == 0 ? 0 : signed(displacementBytes);
        remember(base, index, scale, displacement, relative, base == 4 || base == 5);
    }

    private void memory16(int mod, int rm) {
        int base = switch (rm) {
            case 0, 1, 7 -> 3;
            case 2, 3 -> 5;
            case 4 -> 6;
            case 5 -> 7;
            default -> mod == 0 ? NONE : 5;
        };
        int index = rm < 4 ? 6 + (rm & 1) : NONE;
        long displacement = mod == 1 ? signed(1) : mod == 2 || base == NONE ? signed(2) : 0;
        remember(base, index, 1, displacement, false, base == 5);
    }

    private void remember(int base, int index, int scale, long displacement, boolean relative, boolean stack) {
        memory = Optional.of(new Operand.Mem(
                0,
                addressSize,
                segmentOr(stack),
                base == NONE ? Optional.empty() : Optional.of(base),
                index == NONE ? Optional.empty() : Optional.of(index),
                scale,
                displacement,
                relative));
    }

    private int segmentOr(boolean stack) {
        return segment != NONE ? segment : stack ? Segment.SS : Segment.DS;
    }

    private int peek() {
        if (at - start >= MOST_BYTES) {
            throw new Stop(new Decoded.TooLong());
        }
        if (at == end) {
            throw new Stop(new Decoded.Incomplete());
        }
        return code[at] & 0xff;
    }

    private int next() {
        int value = peek();
        at++;
        return value;
    }

    private long unsigned(int bytes) {
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= (long) next() << (8 * i);
        }
        return value;
    }

    private long signed(int bytes) {
        int shift = 64 - 8 * bytes;
        return unsigned(bytes) << shift >> shift;
    }
}
