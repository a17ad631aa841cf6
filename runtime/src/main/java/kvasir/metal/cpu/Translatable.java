package kvasir.metal.cpu;

import java.util.List;
import java.util.Optional;
import kvasir.metal.cpu.isa.Instruction;
import kvasir.metal.cpu.isa.InstructionTable;
import kvasir.metal.cpu.isa.Operand;

/** Values of the translator that stand for what no instruction names. */
final class Translatable {
    /** An instruction before there is one. */
    static final Instruction NONE =
            new Instruction(InstructionTable.rows().getFirst(), 1, 4, 8, false, 0, Segment.DS, List.of(), -1);

    /** Eight bytes of memory that were read or made ready for writing. */
    static final Operand MEMORY = new Operand.Mem(8, 8, Segment.SS, Optional.empty(), Optional.empty(), 1, 0, false);

    private Translatable() {}
}
