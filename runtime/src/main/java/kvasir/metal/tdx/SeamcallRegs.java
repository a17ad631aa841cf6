package kvasir.metal.tdx;

import java.util.Arrays;

/**
 * The sixteen general registers at one SEAMCALL or TDCALL, before or after. Immutable; registers are named by
 * {@link Operand} ids 0 to 15. RSP takes no part.
 */
public final class SeamcallRegs {
    private static final int COUNT = 16;

    private final long[] gpr;

    private SeamcallRegs(long[] gpr) {
        this.gpr = gpr;
    }

    /** All registers zero but RAX: leaf in bits 15:0, version in bits 23:16. */
    public static SeamcallRegs leaf(long rax) {
        var gpr = new long[COUNT];
        gpr[Operand.RAX] = rax;
        return new SeamcallRegs(gpr);
    }

    /** Leaf, RCX and RDX: what most leaves need. */
    public static SeamcallRegs of(long rax, long rcx, long rdx) {
        return leaf(rax).with(Operand.RCX, rcx).with(Operand.RDX, rdx);
    }

    /** Leaf, RCX, RDX, R8 and R9. */
    public static SeamcallRegs of(long rax, long rcx, long rdx, long r8, long r9) {
        return of(rax, rcx, rdx).with(Operand.R8, r8).with(Operand.R9, r9);
    }

    /** A register file with a copy of {@code gpr}, 16 values in x86 order. */
    static SeamcallRegs copyOf(long[] gpr) {
        return new SeamcallRegs(Arrays.copyOf(gpr, COUNT));
    }

    /** These registers with one changed. */
    public SeamcallRegs with(int register, long value) {
        var changed = gpr.clone();
        changed[register] = value;
        return new SeamcallRegs(changed);
    }

    /** The value of a register. */
    public long get(int register) {
        return gpr[register];
    }

    public long rax() {
        return gpr[Operand.RAX];
    }

    public long rcx() {
        return gpr[Operand.RCX];
    }

    public long rdx() {
        return gpr[Operand.RDX];
    }

    public long r8() {
        return gpr[Operand.R8];
    }

    public long r9() {
        return gpr[Operand.R9];
    }

    long[] toArray() {
        return gpr.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SeamcallRegs regs && Arrays.equals(gpr, regs.gpr);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(gpr);
    }

    @Override
    public String toString() {
        var text = new StringBuilder(Status.describe(rax()));
        for (int register = 1; register < COUNT; register++) {
            if (gpr[register] != 0) {
                text.append(' ')
                        .append(Operand.name(register).toLowerCase(java.util.Locale.ROOT))
                        .append("=0x")
                        .append(Long.toHexString(gpr[register]));
            }
        }
        return text.toString();
    }
}
