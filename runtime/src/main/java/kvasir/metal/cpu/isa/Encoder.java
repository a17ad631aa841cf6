package kvasir.metal.cpu.isa;

import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** One statement in one row with one operand size: the bytes, or nothing if the operands do not fit. */
final class Encoder {
    private static final int NONE = -1;
    private static final List<String> SEGMENTS = List.of("es", "cs", "ss", "ds", "fs", "gs");
    private static final int[] SEGMENT_PREFIX = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};

    private final CodeSize codeSize;
    private final Encoding row;
    private final int operandSize;
    private final long address;
    private final Function<Statement.Value, Optional<Long>> resolve;

    private int rex;
    private boolean rexNeeded;
    private boolean rexForbidden;
    private int opcodeRegister;
    private int modReg;
    private int modRm = NONE;
    private int vexV;
    private int memoryBytes;
    private int addressSize;
    private int segmentPrefix = NONE;
    private byte[] memoryTail = {};
    private boolean relative;
    private long relativeTarget;
    private final ByteArrayOutputStream immediates = new ByteArrayOutputStream();
    private int branchBytes;
    private long branchTarget;

    Encoder(
            CodeSize codeSize,
            Encoding row,
            int operandSize,
            long address,
            Function<Statement.Value, Optional<Long>> resolve) {
        this.codeSize = codeSize;
        this.row = row;
        this.operandSize = operandSize;
        this.address = address;
        this.resolve = resolve;
        addressSize = codeSize.addressBytes();
        for (int size : new int[] {2, 4, 8}) {
            if (row.is("a" + size * 8)) {
                addressSize = size;
            }
        }
    }

    /** Size of the memory operand; 0 without one. */
    int memoryBytes() {
        return memoryBytes;
    }

    /** The bytes, if the operands fit. */
    Optional<byte[]> encode(Statement.Code code) {
        if (addressSize == 8 != (codeSize == CodeSize.BITS64)
                && (addressSize == 8 || addressSize == 2)
                && (addressSize == 8 || codeSize == CodeSize.BITS64)) {
            return Optional.empty();
        }
        if (bits64() && operandSize == 8 && !row.is("d64") && !row.is("f64") && dependsOnSize()) {
            rex |= 8;
        }
        for (int i = 0; i < row.operands().size(); i++) {
            if (!operand(row.operands().get(i), code.operands().get(i))) {
                return Optional.empty();
            }
        }
        boolean needsRex = rexNeeded || rex != 0;
        boolean isNop = row.mnemonic().equals("XCHG") && (row.opcode() | opcodeRegister) == 0x90 && (rex & 1) == 0;
        if (isNop) {
            return Optional.empty();
        }
        if (needsRex && (!bits64() || rexForbidden)) {
            return Optional.empty();
        }
        return assemble(code, needsRex);
    }

    private boolean dependsOnSize() {
        return row.is("o64")
                || row.operands().stream()
                        .anyMatch(s -> "vzsy".contains(s.size()) && !s.size().isEmpty()
                                || "vyp".contains(s.memorySize())
                                        && !s.memorySize().isEmpty());
    }

    private Optional<byte[]> assemble(Statement.Code code, boolean needsRex) {
        var out = new ByteArrayOutputStream();
        for (String prefix : code.prefixes()) {
            switch (prefix) {
                case "lock" -> out.write(0xf0);
                case "repne", "repnz" -> out.write(0xf2);
                default -> out.write(0xf3);
            }
        }
        if (segmentPrefix != NONE) {
            out.write(segmentPrefix);
        }
        if (addressSize != codeSize.addressBytes()) {
            out.write(0x67);
        }
        boolean sixteen = operandSize == 2;
        boolean sizePrefix = codeSize == CodeSize.BITS16 ? operandSize == 4 && sizeMatters() : sixteen && sizeMatters();
        if (row.vex().isEmpty()) {
            if (sizePrefix && row.prefix() != Encoding.Prefix.P66) {
                out.write(0x66);
            }
            switch (row.prefix()) {
                case P66 -> out.write(0x66);
                case PF2 -> out.write(0xf2);
                case PF3 -> out.write(0xf3);
                default -> {}
            }
            if (needsRex) {
                out.write(0x40 | rex);
            }
            switch (row.map()) {
                case ONE -> {}
                case TWO_0F -> out.write(0x0f);
                case THREE_0F38 -> {
                    out.write(0x0f);
                    out.write(0x38);
                }
                case THREE_0F3A -> {
                    out.write(0x0f);
                    out.write(0x3a);
                }
            }
        } else {
            vex(out);
        }
        out.write(row.opcode() | opcodeRegister);
        if (row.fixedModrm() >= 0) {
            out.write(row.fixedModrm());
        } else if (row.modrm()) {
            int reg = row.reg() >= 0 ? row.reg() : modReg;
            out.write((modRm == NONE ? 0xc0 : modRm) | reg << 3);
        }
        out.writeBytes(memoryTail);
        int length = out.size() + immediates.size() + branchBytes;
        byte[] bytes;
        if (relative) {
            long distance = relativeTarget - (address + length);
            if (distance != (int) distance) {
                return Optional.empty();
            }
            bytes = out.toByteArray();
            put(bytes, bytes.length - 4, distance, 4);
            out.reset();
            out.writeBytes(bytes);
        }
        out.writeBytes(immediates.toByteArray());
        if (branchBytes != 0) {
            boolean wraps = codeSize == CodeSize.BITS16 && branchBytes == 2;
            long full = branchTarget - (address + length);
            long distance = wraps ? (short) full : full;
            int shift = 64 - 8 * branchBytes;
            if (distance << shift >> shift != distance) {
                return Optional.empty();
            }
            byte[] tail = new byte[branchBytes];
            put(tail, 0, distance, branchBytes);
            out.writeBytes(tail);
        }
        return out.size() > 15 ? Optional.empty() : Optional.of(out.toByteArray());
    }

    /** Whether the operand-size attribute shows in the operands or is demanded by the row. */
    private boolean sizeMatters() {
        if (row.is("o16") || row.is("o32")) {
            return true;
        }
        for (Spec spec : row.operands()) {
            for (String code : List.of(spec.size(), spec.memorySize())) {
                if (!code.isEmpty() && "vzsip".contains(code)) {
                    return true;
                }
            }
        }
        return false;
    }

    private void vex(ByteArrayOutputStream out) {
        Encoding.Vex wanted = row.vex().orElseThrow();
        int w = wanted.w() == 1 || (wanted.w() < 0 && (rex & 8) != 0) ? 1 : 0;
        int pp = switch (row.prefix()) {
            case P66 -> 1;
            case PF3 -> 2;
            case PF2 -> 3;
            default -> 0;
        };
        int last = w << 7 | (~vexV & 15) << 3 | Math.max(0, wanted.l()) << 2 | pp;
        if (row.map() == Encoding.OpcodeMap.TWO_0F && w == 0 && (rex & 3) == 0) {
            out.write(0xc5);
            out.write((rex & 4) == 0 ? last | 0x80 : last & 0x7f);
            return;
        }
        out.write(0xc4);
        out.write(((rex & 4) == 0 ? 0x80 : 0)
                | ((rex & 2) == 0 ? 0x40 : 0)
                | ((rex & 1) == 0 ? 0x20 : 0)
                | row.map().ordinal());
        out.write(last);
    }

    private boolean bits64() {
        return codeSize == CodeSize.BITS64;
    }

    private boolean operand(Spec spec, Statement.Argument argument) {
        return switch (argument) {
            case Statement.Argument.Reg reg ->
                register(spec, Register.named(reg.name()).orElseThrow());
            case Statement.Argument.Constant number -> number(spec, number.value());
            case Statement.Argument.Memory memory -> memory(spec, memory);
            case Statement.Argument.Far far -> far(spec, far);
        };
    }

    private boolean register(Spec spec, Register register) {
        if (spec.kind() == 'F') {
            return spec.size().isEmpty()
                    ? register.name().equals(spec.fixed())
                    : register.equals(Register.general(size(spec.size().isEmpty() ? "v" : spec.size(), spec), 0));
        }
        if (!spec.mayBeRegister()) {
            return false;
        }
        boolean fits = switch (spec.kind()) {
            case 'S' -> register.file() == Register.File.SEGMENT;
            case 'C' -> register.file() == Register.File.CONTROL;
            case 'D' -> register.file() == Register.File.DEBUG;
            case 'P', 'Q', 'N' -> register.file() == Register.File.MMX;
            case 'V', 'W', 'U', 'H', 'L' -> vectorFits(spec, register);
            case 'T' -> register.file() == Register.File.X87;
            default ->
                register.general()
                        && (register.file().bytes() == size(spec.size(), spec)
                                || register.file().bytes() > 2 && holdsSelector(spec));
        };
        if (!fits || (register.number() > 7 && !bits64())) {
            return false;
        }
        int number = register.number();
        if (register.file() == Register.File.HIGH) {
            number += 4;
            rexForbidden = true;
        } else if (register.file() == Register.File.BYTE && number >= 4) {
            rexNeeded = true;
        }
        return place(spec, number);
    }

    /** The source of MOV to a segment register: of a wider register the low 16 bits are meant, without another prefix. */
    private boolean holdsSelector(Spec spec) {
        return spec.kind() == 'E' && row.operands().getFirst().kind() == 'S';
    }

    private boolean vectorFits(Spec spec, Register register) {
        boolean large = row.vex().isPresent() && row.vex().get().l() == 1;
        int bytes = spec.bytes(operandSize, false, bits64(), large);
        return register.file() == (bytes == 32 ? Register.File.YMM : Register.File.XMM);
    }

    private boolean place(Spec spec, int number) {
        return switch (spec.kind()) {
            case 'G', 'S', 'C', 'D', 'V', 'P' -> {
                modReg = number & 7;
                rex |= (number & 8) >> 1;
                yield true;
            }
            case 'E', 'R', 'W', 'U', 'Q', 'N', 'T' -> {
                modRm = 0xc0 | number & 7;
                rex |= number >> 3;
                yield true;
            }
            case 'Z' -> {
                opcodeRegister = number & 7;
                rex |= number >> 3;
                yield true;
            }
            case 'B', 'H' -> {
                vexV = number;
                yield true;
            }
            case 'L' -> {
                immediates.write(number << 4);
                yield true;
            }
            default -> false;
        };
    }

    private int size(String code, Spec spec) {
        return spec.bytes(operandSize, operandSize == 8, bits64(), false);
    }

    private boolean number(Spec spec, Statement.Value value) {
        long number = resolve.apply(value).orElse(0L);
        return switch (spec.kind()) {
            case '1' -> number == 1 && value.label().isEmpty();
            case 'J' -> {
                branchBytes = spec.size().equals("b") ? 1 : Math.min(operandSize, 4);
                branchTarget = number;
                yield true;
            }
            case 'I' -> immediate(spec, number);
            default -> false;
        };
    }

    private boolean immediate(Spec spec, long number) {
        int bytes = spec.immediateBytes(operandSize);
        int wide = spec.bytes(operandSize, operandSize == 8, bits64(), false);
        if (!Assembler.fits(number, wide)) {
            return false;
        }
        if (wide > bytes && extend(extend(number, wide), bytes) != extend(number, wide)) {
            return false;
        }
        byte[] tail = new byte[bytes];
        put(tail, 0, number, bytes);
        immediates.writeBytes(tail);
        return true;
    }

    private static long extend(long number, int bytes) {
        return number << (64 - 8 * bytes) >> (64 - 8 * bytes);
    }

    private boolean far(Spec spec, Statement.Argument.Far far) {
        if (spec.kind() != 'A') {
            return false;
        }
        byte[] tail = new byte[operandSize + 2];
        long offset = resolve.apply(far.offset()).orElse(0L);
        if (!Assembler.fits(offset, operandSize)) {
            return false;
        }
        put(tail, 0, offset, operandSize);
        put(tail, operandSize, resolve.apply(far.selector()).orElse(0L), 2);
        immediates.writeBytes(tail);
        return true;
    }

    private boolean memory(Spec spec, Statement.Argument.Memory memory) {
        if (!spec.mayBeMemory()) {
            return false;
        }
        int bytes = spec.memoryBytes(operandSize, operandSize == 8, bits64(), vectorLarge());
        if (memory.bytes() != 0 && bytes != 0 && memory.bytes() != bytes) {
            return false;
        }
        memoryBytes = bytes;
        if (memory.segment().isPresent()) {
            int segment = SEGMENTS.indexOf(memory.segment().get());
            if (segment < 0) {
                return false;
            }
            segmentPrefix = SEGMENT_PREFIX[segment];
        }
        return switch (spec.kind()) {
            case 'O' -> absolute(memory);
            case 'X' -> vectorMemory(spec, memory);
            default -> modrmMemory(memory);
        };
    }

    /** Memory indexed by a vector register: always with a SIB byte. */
    private boolean vectorMemory(Spec spec, Statement.Argument.Memory memory) {
        Optional<Register> base = memory.base().flatMap(Register::named);
        Optional<Register> index = index(memory);
        if (memory.scale() == 1 && base.isPresent() && !base.get().general()) {
            Optional<Register> swap = base;
            base = index;
            index = swap;
        }
        Register.File wanted = spec.size().equals("qq") ? Register.File.YMM : Register.File.XMM;
        int size = base.map(r -> r.file().bytes()).orElse(codeSize == CodeSize.BITS16 ? 4 : addressSize);
        boolean legal = index.isPresent()
                && index.get().file() == wanted
                && base.map(Register::general).orElse(true)
                && (size == 4 || (size == 8 && bits64()));
        if (!legal) {
            return false;
        }
        addressSize = size;
        long displacement = resolve.apply(memory.displacement()).orElse(0L);
        return memory32(
                base,
                index,
                memory.scale(),
                displacement,
                memory.displacement().label().isPresent());
    }

    private boolean vectorLarge() {
        return row.vex().isPresent() && row.vex().get().l() == 1;
    }

    private boolean absolute(Statement.Argument.Memory memory) {
        boolean label = memory.displacement().label().isPresent();
        if (memory.base().isPresent() || memory.index().isPresent() || (label && bits64())) {
            return false;
        }
        long offset = resolve.apply(memory.displacement()).orElse(0L);
        if (!Assembler.fits(offset, addressSize)) {
            return false;
        }
        byte[] tail = new byte[addressSize];
        put(tail, 0, offset, addressSize);
        immediates.writeBytes(tail);
        return true;
    }

    private boolean modrmMemory(Statement.Argument.Memory memory) {
        Optional<Register> base = memory.base().flatMap(Register::named);
        Optional<Register> index = memory.index().flatMap(Register::named);
        int scale = memory.scale();
        if (index.isPresent() && scale == 1 && index.get().number() == 4 && base.isPresent()) {
            Optional<Register> swap = base;
            base = index;
            index = swap;
        }
        long displacement = resolve.apply(memory.displacement()).orElse(0L);
        boolean label = memory.displacement().label().isPresent();
        boolean ipBase = base.isPresent() && base.get().file() == Register.File.IP;
        int size = base.or(() -> index(memory)).map(r -> r.file().bytes()).orElse(addressSize);
        if (size == 1 || (size == 2 && bits64()) || (size == 8 && !bits64())) {
            return false;
        }
        if (index.isPresent()
                && (index.get().file().bytes() != size || !index.get().general())) {
            return false;
        }
        addressSize = size;
        if (bits64() && (ipBase || (label && base.isEmpty() && index.isEmpty()))) {
            modRm = 5;
            relative = true;
            relativeTarget = ipBase && !label ? NONE : displacement;
            if (ipBase && !label) {
                relative = false;
                memoryTail = new byte[4];
                put(memoryTail, 0, displacement, 4);
                return displacement == (int) displacement;
            }
            memoryTail = new byte[4];
            return true;
        }
        if (size == 2) {
            return memory16(base, index, scale, displacement, label);
        }
        return memory32(base, index, scale, displacement, label);
    }

    private static Optional<Register> index(Statement.Argument.Memory memory) {
        return memory.index().flatMap(Register::named);
    }

    private boolean memory32(
            Optional<Register> base, Optional<Register> index, int scale, long displacement, boolean label) {
        if ((base.isPresent() && base.get().number() > 7
                        || index.isPresent() && index.get().number() > 7)
                && !bits64()) {
            return false;
        }
        long value = addressSize == 4 ? (int) displacement : displacement;
        if (value != (int) value || !Assembler.fits(displacement, addressSize)) {
            return false;
        }
        if (index.isPresent() && index.get().general() && index.get().number() == 4) {
            return false;
        }
        int b = base.map(Register::number).orElse(NONE);
        int i = index.map(Register::number).orElse(NONE);
        int mod;
        if (b == NONE) {
            mod = 0;
        } else if (value == 0 && !label && (b & 7) != 5) {
            mod = 0;
        } else {
            mod = value == (byte) value && !label ? 1 : 2;
        }
        int tailBytes = b == NONE || mod == 2 ? 4 : mod;
        boolean sib = i != NONE || (b != NONE && (b & 7) == 4) || (b == NONE && bits64());
        memoryTail = new byte[(sib ? 1 : 0) + tailBytes];
        if (sib) {
            int shift = Integer.numberOfTrailingZeros(scale);
            memoryTail[0] = (byte) (shift << 6 | (i == NONE ? 4 : i & 7) << 3 | (b == NONE ? 5 : b & 7));
            rex |= i == NONE ? 0 : (i & 8) >> 2;
        }
        put(memoryTail, sib ? 1 : 0, value, tailBytes);
        rex |= b == NONE ? 0 : b >> 3;
        modRm = mod << 6 | (sib ? 4 : b == NONE ? 5 : b & 7);
        return true;
    }

    private boolean memory16(
            Optional<Register> base, Optional<Register> index, int scale, long displacement, boolean label) {
        if (scale != 1 || !Assembler.fits(displacement, 2)) {
            return false;
        }
        int b = base.map(Register::number).orElse(NONE);
        int i = index.map(Register::number).orElse(NONE);
        if (i == 3 || i == 5) {
            int swap = b;
            b = i;
            i = swap;
        }
        int rm = switch (b * 16 + i) {
            case 3 * 16 + 6 -> 0;
            case 3 * 16 + 7 -> 1;
            case 5 * 16 + 6 -> 2;
            case 5 * 16 + 7 -> 3;
            case 6 * 16 + NONE -> 4;
            case 7 * 16 + NONE -> 5;
            case 5 * 16 + NONE -> 6;
            case 3 * 16 + NONE -> 7;
            case NONE * 16 + NONE -> 8;
            default -> NONE;
        };
        if (rm == NONE) {
            return false;
        }
        long value = (short) displacement;
        int mod = rm == 8 ? 0 : value == 0 && !label && rm != 6 ? 0 : value == (byte) value && !label ? 1 : 2;
        int tailBytes = rm == 8 ? 2 : mod;
        memoryTail = new byte[tailBytes];
        put(memoryTail, 0, value, tailBytes);
        modRm = mod << 6 | (rm == 8 ? 6 : rm);
        return true;
    }

    private static void put(byte[] target, int at, long value, int bytes) {
        for (int i = 0; i < bytes; i++) {
            target[at + i] = (byte) (value >>> (8 * i));
        }
    }
}
