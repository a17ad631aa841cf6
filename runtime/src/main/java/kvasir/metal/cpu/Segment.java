package kvasir.metal.cpu;

/**
 * A segment register with its hidden part.
 *
 * @param selector 16 bits
 * @param base linear address
 * @param limit in bytes, granularity applied
 * @param access access rights as in a VMCS: type 3:0, S 4, DPL 6:5, P 7, AVL 12, L 13, D/B 14, G 15, unusable 16
 */
public record Segment(int selector, long base, int limit, int access) {
    /** Numbers of the segment registers, as instructions encode them, and of the two system segments. */
    public static final int ES = 0;

    public static final int CS = 1;
    public static final int SS = 2;
    public static final int DS = 3;
    public static final int FS = 4;
    public static final int GS = 5;
    public static final int LDTR = 6;
    public static final int TR = 7;

    /** Access-rights bit: a null selector was loaded. */
    public static final int UNUSABLE = 1 << 16;

    /** Type field. */
    public int type() {
        return access & 15;
    }

    /** Descriptor privilege level. */
    public int dpl() {
        return access >> 5 & 3;
    }

    /** Present and usable. */
    public boolean present() {
        return (access & 0x80) != 0 && !unusable();
    }

    /** 64-bit code segment. */
    public boolean longMode() {
        return (access & 0x2000) != 0;
    }

    /** D/B: 32-bit default size. */
    public boolean big() {
        return (access & 0x4000) != 0;
    }

    /** Null selector. */
    public boolean unusable() {
        return (access & UNUSABLE) != 0;
    }
}
