package kvasir.metal.cpu;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kvasir.metal.cpu.RegionEmitter.Interpreted;
import kvasir.metal.cpu.fp.HostArithmetic;
import kvasir.metal.cpu.isa.Instruction;
import kvasir.metal.cpu.isa.Operand;
import kvasir.metal.cpu.isa.Register;
import kvasir.metal.cpu.simd.PackedWords;

/**
 * Bytecode for the instructions on XMM registers that compilers use for floating-point numbers: moves, arithmetic,
 * comparisons, conversions, logic; and the simplest on packed integers. Where Java's own arithmetic might differ in a bit or in MXCSR
 * ({@link HostArithmetic#OTHERWISE}), the interpreter's operation computes it aside.
 */
final class VectorTranslator {
    private static final ClassDesc HOST = ClassDesc.of("kvasir.metal.cpu.fp.HostArithmetic");
    private static final ClassDesc PACKED_WORDS = ClassDesc.of("kvasir.metal.cpu.simd.PackedWords");
    private static final ClassDesc LONG = ConstantDescs.CD_long;
    private static final ClassDesc INT = ConstantDescs.CD_int;

    /** Functions of {@link HostArithmetic} by mnemonics without their last letters, which give the format. */
    private static final Map<String, String> ARITHMETIC =
            Map.of("ADD", "add", "SUB", "subtract", "MUL", "multiply", "DIV", "divide", "SQRT", "squareRoot");

    private static final Set<String> COMPARISONS = Set.of("COMISD", "COMISS", "UCOMISD", "UCOMISS");
    private static final Set<String> CONVERSIONS =
            Set.of("CVTSI2SD", "CVTSI2SS", "CVTTSD2SI", "CVTTSS2SI", "CVTSD2SS", "CVTSS2SD");
    private static final Set<String> WHOLE =
            Set.of("MOVAPS", "MOVAPD", "MOVDQA", "MOVUPS", "MOVUPD", "MOVDQU", "LDDQU");
    private static final Set<String> PARTS =
            Set.of("MOVSD", "MOVSS", "MOVD", "MOVQ", "MOVLPD", "MOVHPD", "MOVLPS", "MOVHPS");
    private static final Map<String, String> LOGIC = Map.ofEntries(
            Map.entry("XORPS", "XOR"),
            Map.entry("XORPD", "XOR"),
            Map.entry("PXOR", "XOR"),
            Map.entry("ANDPS", "AND"),
            Map.entry("ANDPD", "AND"),
            Map.entry("PAND", "AND"),
            Map.entry("ANDNPS", "ANDN"),
            Map.entry("ANDNPD", "ANDN"),
            Map.entry("PANDN", "ANDN"),
            Map.entry("ORPS", "OR"),
            Map.entry("ORPD", "OR"),
            Map.entry("POR", "OR"));

    /** Functions of {@link PackedWords} by mnemonics without their last letter, which gives the element's size. */
    private static final Map<String, String> PACKED = Map.of("PADD", "add", "PSUB", "subtract", "PCMPEQ", "equal");

    private static final String SIZES = "BWDQ";

    private final RegionEmitter e;
    private final CodeBuilder code;
    private final Instruction instruction;
    private final Interpreted operation;
    private final String name;
    private final boolean vex;

    /** @param operation what the interpreter does for the instruction */
    VectorTranslator(RegionEmitter emitter, Instruction instruction, Interpreted operation) {
        e = emitter;
        code = emitter.code;
        this.instruction = instruction;
        this.operation = operation;
        name = name(instruction);
        vex = vex(instruction);
    }

    private static boolean vex(Instruction i) {
        return i.encoding().vex().isPresent();
    }

    /** The mnemonic without the V of a VEX encoding. */
    private static String name(Instruction i) {
        return vex(i) ? i.mnemonic().substring(1) : i.mnemonic();
    }

    /**
     * Whether {@link #translate} knows the instruction.
     *
     * @param gateKey see {@link Gate#key}: an instruction that is refused is not known
     */
    static boolean knows(Instruction i, int gateKey) {
        if (!i.encoding().usesVectorRegisters()
                || Gate.of(i.encoding()).refusal(gateKey) != Gate.NONE
                || !i.operands().stream().allMatch(VectorTranslator::plain)) {
            return false;
        }
        String name = name(i);
        return arithmetic(name)
                || COMPARISONS.contains(name)
                || CONVERSIONS.contains(name)
                || WHOLE.contains(name)
                || PARTS.contains(name) && (i.operands().size() == 2 || memory(i) < 0)
                || LOGIC.containsKey(name)
                || packed(name);
    }

    private static boolean packed(String name) {
        int letter = name.length() - 1;
        return SIZES.indexOf(name.charAt(letter)) >= 0 && PACKED.containsKey(name.substring(0, letter));
    }

    private static boolean arithmetic(String name) {
        return name.length() > 4
                && (name.endsWith("SD") || name.endsWith("SS"))
                && ARITHMETIC.containsKey(name.substring(0, name.length() - 2));
    }

    private static boolean plain(Operand operand) {
        return switch (operand) {
            case Operand.Reg(Register register) -> register.general() || register.file() == Register.File.XMM;
            case Operand.Mem mem -> mem.bytes() <= 16;
            default -> false;
        };
    }

    private static int memory(Instruction i) {
        return InstructionTranslator.memory(i);
    }

    /** @param end offset in the page of the next instruction */
    void translate(int end) {
        if (arithmetic(name)) {
            arithmetic(end);
        } else if (COMPARISONS.contains(name)) {
            compare(end);
        } else if (CONVERSIONS.contains(name)) {
            convert(end);
        } else if (WHOLE.contains(name)) {
            moveWhole(end);
        } else if (LOGIC.containsKey(name)) {
            logic(LOGIC.get(name), end);
        } else if (packed(name)) {
            packed(end);
        } else {
            movePart(end);
        }
    }

    private boolean single() {
        return name.endsWith("SS");
    }

    private Operand last() {
        return instruction.operands().getLast();
    }

    private static int number(Operand operand) {
        return ((Operand.Reg) operand).register().number();
    }

    private static boolean isVector(Operand operand) {
        return operand instanceof Operand.Reg(Register register) && register.file() == Register.File.XMM;
    }

    /** The register that gives the first operand and what the result does not replace. */
    private int first() {
        return number(instruction.operand(vex ? instruction.operands().size() - 2 : 0));
    }

    /** Reads the last operand if it is memory. */
    private void ready(int end) {
        if (last() instanceof Operand.Mem mem) {
            e.read(mem, end);
        }
    }

    /** Pushes the low word of the last operand. */
    private void pushLast() {
        if (isVector(last())) {
            e.pushWord(number(last()), 0);
        } else {
            e.push(last(), false);
        }
    }

    /** Puts the value on the stack, an element, into the result; the rest comes from the first operand. */
    private void storeElement(boolean single) {
        int to = number(instruction.operand(0));
        if (single) {
            code.loadConstant(0xffff_ffffL).land();
            e.pushWord(first(), 0);
            code.loadConstant(-1L << 32).land().lor();
        }
        e.storeWord(to, 0);
        if (first() != to) {
            e.pushWord(first(), 1);
            e.storeWord(to, 1);
        }
        clearAbove();
    }

    private void clearAbove() {
        if (vex) {
            int to = number(instruction.operand(0));
            for (int word = 2; word < 4; word++) {
                code.lconst_0();
                e.storeWord(to, word);
            }
        }
    }

    /** Leaves the value on the stack in the local {@code scratch}; computes it aside if it is none. */
    private void keepUnlessOtherwise(Label back) {
        code.lstore(e.scratch());
        code.lload(e.scratch()).loadConstant(HostArithmetic.OTHERWISE).lcmp();
        code.ifeq(e.interpretAside(operation, back, false));
    }

    private void arithmetic(int end) {
        Label back = code.newLabel();
        String function = ARITHMETIC.getOrDefault(name.substring(0, name.length() - 2), "");
        boolean one = function.equals("squareRoot");
        ready(end);
        if (!one) {
            e.pushWord(first(), 0);
        }
        pushLast();
        e.pushHostMay();
        MethodTypeDesc type = one ? MethodTypeDesc.of(LONG, LONG, INT) : MethodTypeDesc.of(LONG, LONG, LONG, INT);
        code.invokestatic(HOST, function + (single() ? 32 : 64), type);
        keepUnlessOtherwise(back);
        code.lload(e.scratch());
        storeElement(single());
        code.labelBinding(back);
    }

    private void compare(int end) {
        Label back = code.newLabel();
        ready(end);
        e.pushWord(number(instruction.operand(0)), 0);
        pushLast();
        code.invokestatic(HOST, single() ? "compare32" : "compare64", MethodTypeDesc.of(INT, LONG, LONG));
        code.i2l().lstore(e.scratch());
        code.lload(e.scratch()).lconst_0().lcmp();
        code.iflt(e.interpretAside(operation, back, true));
        code.lload(e.scratch()).l2i();
        e.keepOrder();
        code.labelBinding(back);
    }

    private void convert(int end) {
        Label back = code.newLabel();
        ready(end);
        pushLast();
        boolean toInteger = name.endsWith("SI");
        boolean fromInteger = name.startsWith("CVTSI");
        if (fromInteger) {
            e.signExtend(InstructionTranslator.bytes(last()));
            e.pushHostMay();
            code.invokestatic(HOST, single() ? "fromInteger32" : "fromInteger64", MethodTypeDesc.of(LONG, LONG, INT));
        } else if (toInteger) {
            code.loadConstant(8 * InstructionTranslator.bytes(instruction.operand(0)));
            e.pushHostMay();
            boolean fromSingle = name.equals("CVTTSS2SI");
            code.invokestatic(
                    HOST, fromSingle ? "toInteger32" : "toInteger64", MethodTypeDesc.of(LONG, LONG, INT, INT));
        } else if (name.equals("CVTSS2SD")) {
            code.invokestatic(HOST, "widen", MethodTypeDesc.of(LONG, LONG));
        } else {
            e.pushHostMay();
            code.invokestatic(HOST, "narrow", MethodTypeDesc.of(LONG, LONG, INT));
        }
        keepUnlessOtherwise(back);
        code.lload(e.scratch());
        if (toInteger) {
            e.storeRegister(((Operand.Reg) instruction.operand(0)).register());
        } else {
            storeElement(single());
        }
        code.labelBinding(back);
    }

    private boolean aligned() {
        return instruction.encoding().is("aligned") || instruction.encoding().is("alignedintel");
    }

    private void moveWhole(int end) {
        List<Operand> operands = instruction.operands();
        if (operands.get(0) instanceof Operand.Mem mem) {
            e.find16(mem, end, true, aligned());
            for (int word = 0; word < 2; word++) {
                e.pushWord(number(last()), word);
                e.storeFound(word);
            }
            return;
        }
        if (last() instanceof Operand.Mem mem) {
            e.find16(mem, end, false, aligned());
        }
        for (int word = 0; word < 2; word++) {
            pushWordOfLast(word);
            e.storeWord(number(operands.get(0)), word);
        }
        clearAbove();
    }

    private void pushWordOfLast(int word) {
        if (isVector(last())) {
            e.pushWord(number(last()), word);
        } else {
            e.pushFound(word);
        }
    }

    private void logic(String kind, int end) {
        if (last() instanceof Operand.Mem mem) {
            e.find16(mem, end, false, aligned());
        }
        for (int word = 0; word < 2; word++) {
            e.pushWord(first(), word);
            if (kind.equals("ANDN")) {
                code.loadConstant(-1L).lxor();
            }
            pushWordOfLast(word);
            switch (kind) {
                case "XOR" -> code.lxor();
                case "OR" -> code.lor();
                default -> code.land();
            }
            e.storeWord(number(instruction.operand(0)), word);
        }
        clearAbove();
    }

    private void packed(int end) {
        if (last() instanceof Operand.Mem mem) {
            e.find16(mem, end, false, aligned());
        }
        int letter = name.length() - 1;
        String function = PACKED.getOrDefault(name.substring(0, letter), "");
        for (int word = 0; word < 2; word++) {
            e.pushWord(first(), word);
            pushWordOfLast(word);
            code.loadConstant(PackedWords.tops(8 << SIZES.indexOf(name.charAt(letter))));
            code.invokestatic(PACKED_WORDS, function, MethodTypeDesc.of(LONG, LONG, LONG, LONG));
            e.storeWord(number(instruction.operand(0)), word);
        }
        clearAbove();
    }

    private void movePart(int end) {
        int half = name.startsWith("MOVH") ? 1 : 0;
        Operand to = instruction.operand(0);
        if (!isVector(to)) {
            if (to instanceof Operand.Mem mem) {
                e.prepareWrite(mem, end);
            }
            e.pushWord(number(last()), half);
            e.store(to, InstructionTranslator.bytes(to));
            return;
        }
        boolean keepsOther = name.startsWith("MOVL") || name.startsWith("MOVH");
        boolean element = name.startsWith("MOVS") && isVector(last());
        ready(end);
        pushLast();
        if (element) {
            storeElement(name.equals("MOVSS"));
            return;
        }
        if (!isVector(last())) {
            e.mask(InstructionTranslator.bytes(last()));
        }
        e.storeWord(number(to), half);
        if (!keepsOther) {
            code.lconst_0();
            e.storeWord(number(to), 1);
        }
        clearAbove();
    }
}
