package kvasir.metal.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Decoded instructions of one page (the last may reach into the next), up to the first that ends a block. */
final class Block {
    final Op[] ops;

    /** Offset of each instruction from the first; one more entry for the end. */
    final int[] starts;

    /** Offset behind the last. */
    final int length;

    final int modeKey;
    final long frame;
    final int offset;

    /** Frame of the following page if the last instruction reaches into it, else -1. */
    final long nextFrame;

    private final byte[] code;

    /** Linear address at which it was entered last, good while {@link #stamp} is the processor's. */
    long linear;

    long stamp = -1;

    /** Whether it is no longer what memory holds. */
    boolean dead;

    /** The processor's {@code hostStamp} at which the bytes were last compared with memory. */
    long compared;

    /** How often it was executed; {@link Regions#hot} times make it hot. */
    int executed;

    /** What was executed after it the last time; itself at first. */
    Block next = this;

    /** What was executed after it before that. */
    Block other = this;

    /** The region that begins here, if there is one. */
    @Nullable
    Region region;

    /** The regions that hold this block. */
    final List<Region> regions = new ArrayList<>(0);

    Block(Op[] ops, int[] starts, int modeKey, long frame, int offset, long nextFrame, byte[] code) {
        this.ops = ops;
        this.starts = starts;
        length = starts[ops.length];
        this.modeKey = modeKey;
        this.frame = frame;
        this.offset = offset;
        this.nextFrame = nextFrame;
        this.code = code;
    }

    /** The part of its mode that {@link Gate}s look at. */
    int gateKey() {
        return modeKey >> Cpu.GATE_KEY_SHIFT;
    }

    int bytes() {
        return code.length;
    }

    int codeByte(int i) {
        return code[i];
    }

    /** Makes a running execution stop before its next instruction, and every later lookup fail. */
    void kill(Op stale) {
        stamp = -1;
        dead = true;
        next = this;
        other = this;
        Arrays.fill(ops, stale);
    }
}
