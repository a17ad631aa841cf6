package kvasir.metal.cpu;

/** An instruction after which a new block begins. */
abstract class BlockEnd extends Op {
    BlockEnd(Operands operands) {
        super(operands);
    }

    @Override
    final boolean endsBlock() {
        return true;
    }
}
