package kvasir.metal.cpu.isa;

/** How bytes decode: the D and L bits of the code segment. */
public enum CodeSize {
    BITS16(2),
    BITS32(4),
    BITS64(8);

    private final int bytes;

    CodeSize(int bytes) {
        this.bytes = bytes;
    }

    /** Default address size in bytes. */
    public int addressBytes() {
        return bytes;
    }
}
