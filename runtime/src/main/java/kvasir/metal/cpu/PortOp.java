package kvasir.metal.cpu;

/** An instruction that exits to read or write an I/O port, and is completed by the hypervisor. */
abstract class PortOp extends BlockEnd {
    PortOp(Operands operands) {
        super(operands);
    }

    /**
     * Finishes the access.
     *
     * @param value what an input read
     * @return whether the instruction is through; false if a repeated one goes on
     */
    abstract boolean complete(Cpu c, int value);
}
