package kvasir.metal.cpu;

/** One decoded instruction, ready to run. Immutable. */
abstract class Op {
    /** Offset of the next instruction from the start of the block. */
    final int end;

    /** Number of instructions before it in its block. */
    final int index;

    /** Whether its memory operand is in the stack segment, so that a bad address is #SS. */
    final boolean stack;

    Op(Operands operands) {
        end = operands.end;
        index = operands.index;
        stack = operands.usesStackSegment();
    }

    /** Executes it. Throws {@link Unwind} before any state has changed, or finishes. */
    abstract void run(Cpu c);

    /** Whether nothing may follow in the block: control flow, or a change of mode, of flags that gate events, of code. */
    boolean endsBlock() {
        return false;
    }
}
