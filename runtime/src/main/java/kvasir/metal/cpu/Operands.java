package kvasir.metal.cpu;

import kvasir.metal.cpu.isa.CodeSize;
import kvasir.metal.cpu.isa.Instruction;
import kvasir.metal.cpu.isa.Operand;

/** An instruction at its place in a block: what makers of {@link Op}s look at. */
final class Operands {
    final Instruction instruction;
    final int end;
    final int index;
    final CodeSize codeSize;

    /**
     * @param end offset of the next instruction from the start of the block
     * @param index number of instructions before it
     */
    Operands(Instruction instruction, int end, int index, CodeSize codeSize) {
        this.instruction = instruction;
        this.end = end;
        this.index = index;
        this.codeSize = codeSize;
    }

    Arg arg(int number) {
        return new Arg(instruction.operand(number), end);
    }

    int count() {
        return instruction.operands().size();
    }

    /** Operand size in bytes. */
    int size() {
        return instruction.operandSize();
    }

    /** Offset of the instruction from the start of the block. */
    int start() {
        return end - instruction.length();
    }

    boolean isMemory(int number) {
        return instruction.operand(number) instanceof Operand.Mem;
    }

    long immediate(int number) {
        return ((Operand.Imm) instruction.operand(number)).value();
    }

    boolean usesStackSegment() {
        for (Operand operand : instruction.operands()) {
            boolean inStack = switch (operand) {
                case Operand.Mem mem -> mem.segment() == Segment.SS;
                case Operand.Vsib vsib -> vsib.memory().segment() == Segment.SS;
                default -> false;
            };
            if (inStack) {
                return true;
            }
        }
        String name = instruction.mnemonic();
        boolean near = name.equals("CALL") && instruction.operand(0) instanceof Operand.Rel;
        return near
                || name.startsWith("RET")
                || name.startsWith("IRET")
                || instruction.encoding().is("d64") && !hasMemory();
    }

    private boolean hasMemory() {
        return instruction.operands().stream().anyMatch(o -> o instanceof Operand.Mem);
    }
}
