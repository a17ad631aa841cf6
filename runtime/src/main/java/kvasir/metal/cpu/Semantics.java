package kvasir.metal.cpu;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.metal.cpu.isa.Decoded;
import kvasir.metal.cpu.isa.Instruction;
import kvasir.metal.cpu.isa.InstructionTable;
import kvasir.metal.cpu.isa.Operand;
import kvasir.metal.cpu.isa.Register;

/** From a decoded instruction to the object that executes it: one maker a mnemonic, each family in its own file. */
final class Semantics {
    private static final Map<String, Maker> MAKERS = makers();
    /** An instruction that stands where there is none. */
    static final Instruction FILLER =
            new Instruction(InstructionTable.rows().getFirst(), 1, 4, 8, false, 0, Segment.DS, List.of(), -1);

    private static final Set<String> SERIALIZING = Set.of(
            "CPUID",
            "IRETW",
            "IRETD",
            "IRETQ",
            "INVLPG",
            "INVPCID",
            "WRMSR",
            "LGDT",
            "LIDT",
            "LLDT",
            "LTR",
            "WBINVD",
            "INVD",
            "RSM",
            "SERIALIZE");

    private Semantics() {}

    /** Makes the executable form of one instruction. */
    interface Maker {
        Op make(Operands operands);
    }

    /** What an instruction does, for those that need no class of their own. */
    interface Action {
        void run(Cpu c);
    }

    /** A plain instruction. */
    static Op op(Operands operands, Action action) {
        return new Op(operands) {
            @Override
            void run(Cpu c) {
                action.run(c);
            }
        };
    }

    /** An instruction after which a new block begins. */
    static Op end(Operands operands, Action action) {
        return new BlockEnd(operands) {
            @Override
            void run(Cpu c) {
                action.run(c);
            }
        };
    }

    private static Map<String, Maker> makers() {
        var makers = new HashMap<String, Maker>();
        MoveOps.bind(makers);
        ArithmeticOps.bind(makers);
        MultiplyOps.bind(makers);
        DecimalOps.bind(makers);
        ShiftOps.bind(makers);
        BitOps.bind(makers);
        StackOps.bind(makers);
        FlagOps.bind(makers);
        BranchOps.bind(makers);
        FarOps.bind(makers);
        StringOps.bind(makers);
        InputOutputOps.bind(makers);
        SystemOps.bind(makers);
        ControlOps.bind(makers);
        ExtendedStateOps.bind(makers);
        SevOps.bind(makers);
        VectorMoveOps.bind(makers);
        VectorScalarOps.bind(makers);
        VectorComputeOps.bind(makers);
        X87Ops.bind(makers);
        MmxOps.bind(makers);
        XsaveOps.bind(makers);
        return Map.copyOf(makers);
    }

    /** Whether the mnemonic can be executed; if not, running it exits with {@link VmExit.Unsupported}. */
    static boolean has(String mnemonic) {
        return MAKERS.containsKey(mnemonic);
    }

    /**
     * The executable form of what was decoded at the place that {@code end} and {@code index} tell.
     *
     * @param gateKey see {@link Gate#key}
     * @param shared whether other processors may run at the same time
     */
    static Op make(Decoded decoded, int end, int index, CodeSize codeSize, int gateKey, boolean shared) {
        return switch (decoded) {
            case Instruction instruction -> {
                int refusal = Gate.of(instruction.encoding()).refusal(gateKey);
                if (refusal != Gate.NONE) {
                    yield raises(end, index, codeSize, refusal);
                }
                var operands = new Operands(instruction, end, index, codeSize);
                Maker maker = MAKERS.get(instruction.mnemonic());
                if (maker == null) {
                    String what = "instruction " + instruction.mnemonic();
                    yield end(operands, c -> {
                        throw c.leave(new VmExit.Unsupported(what));
                    });
                }
                Op made = maker.make(operands);
                if (shared && locks(instruction)) {
                    made = new Locked(operands, made);
                } else if (shared && serializes(instruction)) {
                    Op inner = made;
                    made = end(operands, c -> {
                        inner.run(c);
                        c.serialize();
                    });
                }
                yield instruction.encoding().is("cpl0") ? privileged(operands, made) : made;
            }
            case Decoded.Undefined undefined -> raises(end, index, codeSize, Vector.UD);
            case Decoded.TooLong tooLong -> raises(end, index, codeSize, Vector.GP);
            case Decoded.Incomplete incomplete -> raises(end, index, codeSize, Vector.GP);
        };
    }

    /** Whether the instruction's access to memory is a locked one: XCHG's always is. */
    private static boolean locks(Instruction i) {
        return i.lock()
                || i.mnemonic().equals("XCHG")
                        && i.operands().stream().anyMatch(operand -> operand instanceof Operand.Mem);
    }

    /** Intel SDM volume 3, "Serializing instructions"; those that always exit are serialized by that. */
    private static boolean serializes(Instruction i) {
        boolean control = i.operands().stream()
                .anyMatch(operand -> operand instanceof Operand.Reg(Register register)
                        && (register.file() == Register.File.CONTROL || register.file() == Register.File.DEBUG));
        return control || SERIALIZING.contains(i.mnemonic());
    }

    /** An instruction whose read and write of memory are one access to every other processor. */
    private static final class Locked extends Op {
        private final Op inner;

        Locked(Operands o, Op inner) {
            super(o);
            this.inner = inner;
        }

        @Override
        void run(Cpu c) {
            c.mem.runLocked(inner);
        }
    }

    private static Op raises(int end, int index, CodeSize codeSize, int vector) {
        return end(new Operands(FILLER, end, index, codeSize), c -> {
            throw c.exception(vector, 0);
        });
    }

    private static Op privileged(Operands operands, Op inner) {
        Action action = c -> {
            c.requireCpl0();
            inner.run(c);
        };
        return inner.endsBlock() ? end(operands, action) : op(operands, action);
    }
}
