package kvasir.metal.cpu;

import kvasir.metal.cpu.isa.Operand;

/** How to compute the address of a memory operand. */
final class Address {
    /** Index in {@link Cpu#r} of a constant zero. */
    static final int ZERO = 16;

    /** Index in {@link Cpu#r} of the running block's IP. */
    static final int BLOCK = 17;

    private final int base;
    private final int index;
    private final int scale;
    private final long displacement;
    private final long mask;
    final int segment;

    /** In 64-bit code and not by FS or GS: the offset is the linear address. */
    private final boolean flat;

    Address(Operand.Mem mem, int end) {
        base = mem.relative() ? BLOCK : mem.base().orElse(ZERO);
        index = mem.index().orElse(ZERO);
        scale = Integer.numberOfTrailingZeros(mem.scale());
        displacement = mem.displacement() + (mem.relative() ? end : 0);
        mask = mem.addressBytes() == 8 ? -1 : (1L << 8 * mem.addressBytes()) - 1;
        segment = mem.segment();
        flat = mem.addressBytes() == 8 && segment != Segment.FS && segment != Segment.GS;
    }

    /** The offset in the segment. */
    long offset(Cpu c) {
        return (c.r[base] + (c.r[index] << scale) + displacement) & mask;
    }

    /** The linear address, after the segment's checks for an access of {@code bytes} bytes. */
    long linear(Cpu c, int bytes, boolean write) {
        if (flat) {
            return c.r[base] + (c.r[index] << scale) + displacement;
        }
        return c.linear(segment, offset(c), bytes, write);
    }

    /** The linear address {@code delta} bytes further, offset wrapped to the address size. */
    long linear(Cpu c, long delta, int bytes, boolean write) {
        return c.linear(segment, (offset(c) + delta) & mask, bytes, write);
    }
}
