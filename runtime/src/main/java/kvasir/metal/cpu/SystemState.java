package kvasir.metal.cpu;

import java.util.Arrays;

/**
 * The architectural state that is not a general register: segments, control and debug registers, model-specific
 * registers, system flags, extended state. Plain fields; {@link Cpu} keeps everything derived from them.
 */
final class SystemState {
    final int[] selector = new int[8];
    final long[] base = new long[8];
    final int[] limit = new int[8];
    final int[] access = new int[8];

    long gdtBase;
    int gdtLimit;
    long idtBase;
    int idtLimit;

    /** EFLAGS without the six status flags. */
    int flags;

    long cr0;
    long cr2;
    long cr3;
    long cr4;
    int cr8;
    final long[] dr = new long[8];
    long xcr0;
    int pkru;

    /** IA32_PKRS, the rights of supervisor keys. */
    int pkrs;

    long efer;
    long star;
    long lstar;
    long cstar;
    long sfmask;
    long kernelGsBase;
    long sysenterCs;
    long sysenterEsp;
    long sysenterEip;
    long pat;
    long tscAux;
    long debugControl;

    /** TSC minus retired instructions. */
    long tscOffset;

    /** IA32_TSC_ADJUST: what software has added to the TSC since reset. */
    long tscAdjust;

    /** PDPTE registers of PAE paging, loaded with CR3. */
    final long[] pdpte = new long[4];

    /** YMM registers, four words each, low word first: XMM register i is words 4i and 4i + 1. */
    final long[] ymm = new long[16 * 4];

    /** Changed through {@link Cpu#setMxcsr}, which keeps the arithmetic in step. */
    int mxcsr;

    /** IA32_XSS: supervisor state components that XSAVES and XRSTORS handle. */
    long xss;

    final X87 x87 = new X87();

    /** The state after RESET (Intel SDM, "IA-32 and Intel 64 Processor States Following Power-up, Reset, or INIT"). */
    void reset() {
        for (int i = 0; i < 8; i++) {
            selector[i] = 0;
            base[i] = 0;
            limit[i] = 0xffff;
            access[i] = 0x93;
        }
        selector[Segment.CS] = 0xf000;
        base[Segment.CS] = 0xffff_0000L;
        access[Segment.CS] = 0x9b;
        access[Segment.LDTR] = 0x82;
        access[Segment.TR] = 0x8b;
        gdtBase = 0;
        gdtLimit = 0xffff;
        idtBase = 0;
        idtLimit = 0xffff;
        flags = 2;
        cr0 = Bits.CR0_ET | Bits.CR0_NW | Bits.CR0_CD;
        cr2 = 0;
        cr3 = 0;
        cr4 = 0;
        cr8 = 0;
        java.util.Arrays.fill(dr, 0);
        dr[6] = 0xffff_0ff0L;
        dr[7] = 0x400;
        xcr0 = 1;
        pkru = 0;
        pkrs = 0;
        efer = 0;
        star = 0;
        lstar = 0;
        cstar = 0;
        sfmask = 0;
        kernelGsBase = 0;
        sysenterCs = 0;
        sysenterEsp = 0;
        sysenterEip = 0;
        pat = 0x0007_0406_0007_0406L;
        tscAux = 0;
        debugControl = 0;
        tscOffset = 0;
        tscAdjust = 0;
        java.util.Arrays.fill(pdpte, 0);
        java.util.Arrays.fill(ymm, 0);
        mxcsr = 0x1f80;
        xss = 0;
        x87.reset();
    }

    /** IA32_DEBUGCTL.BTF: TF traps behind taken branches only. */
    boolean branchTrace() {
        return (debugControl & 2) != 0;
    }

    /** Takes over what INIT leaves alone. */
    void keepOverInit(SystemState before) {
        xcr0 = before.xcr0;
        pkru = before.pkru;
        pkrs = before.pkrs;
        star = before.star;
        lstar = before.lstar;
        cstar = before.cstar;
        sfmask = before.sfmask;
        kernelGsBase = before.kernelGsBase;
        sysenterCs = before.sysenterCs;
        sysenterEsp = before.sysenterEsp;
        sysenterEip = before.sysenterEip;
        pat = before.pat;
        tscAux = before.tscAux;
        tscOffset = before.tscOffset;
        tscAdjust = before.tscAdjust;
        System.arraycopy(before.ymm, 0, ymm, 0, ymm.length);
        mxcsr = before.mxcsr;
        x87.copyFrom(before.x87);
    }

    /** Takes over the registers that far control flow and the delivery of events change. */
    void copyEventStateFrom(SystemState other) {
        System.arraycopy(other.selector, 0, selector, 0, 8);
        System.arraycopy(other.base, 0, base, 0, 8);
        System.arraycopy(other.limit, 0, limit, 0, 8);
        System.arraycopy(other.access, 0, access, 0, 8);
        flags = other.flags;
    }

    /** Takes over every register of {@code other}. */
    void copyFrom(SystemState other) {
        System.arraycopy(other.selector, 0, selector, 0, 8);
        System.arraycopy(other.base, 0, base, 0, 8);
        System.arraycopy(other.limit, 0, limit, 0, 8);
        System.arraycopy(other.access, 0, access, 0, 8);
        gdtBase = other.gdtBase;
        gdtLimit = other.gdtLimit;
        idtBase = other.idtBase;
        idtLimit = other.idtLimit;
        flags = other.flags;
        cr0 = other.cr0;
        cr2 = other.cr2;
        cr3 = other.cr3;
        cr4 = other.cr4;
        cr8 = other.cr8;
        System.arraycopy(other.dr, 0, dr, 0, 8);
        xcr0 = other.xcr0;
        pkru = other.pkru;
        pkrs = other.pkrs;
        efer = other.efer;
        star = other.star;
        lstar = other.lstar;
        cstar = other.cstar;
        sfmask = other.sfmask;
        kernelGsBase = other.kernelGsBase;
        sysenterCs = other.sysenterCs;
        sysenterEsp = other.sysenterEsp;
        sysenterEip = other.sysenterEip;
        pat = other.pat;
        tscAux = other.tscAux;
        debugControl = other.debugControl;
        tscOffset = other.tscOffset;
        tscAdjust = other.tscAdjust;
        System.arraycopy(other.pdpte, 0, pdpte, 0, 4);
        System.arraycopy(other.ymm, 0, ymm, 0, ymm.length);
        mxcsr = other.mxcsr;
        xss = other.xss;
        x87.copyFrom(other.x87);
    }

    /** Whether every register is what it is in {@code other}. */
    boolean sameAs(SystemState other) {
        return Arrays.equals(selector, other.selector)
                && Arrays.equals(base, other.base)
                && Arrays.equals(limit, other.limit)
                && Arrays.equals(access, other.access)
                && gdtBase == other.gdtBase
                && gdtLimit == other.gdtLimit
                && idtBase == other.idtBase
                && idtLimit == other.idtLimit
                && flags == other.flags
                && cr0 == other.cr0
                && cr2 == other.cr2
                && cr3 == other.cr3
                && cr4 == other.cr4
                && cr8 == other.cr8
                && Arrays.equals(dr, other.dr)
                && xcr0 == other.xcr0
                && pkru == other.pkru
                && pkrs == other.pkrs
                && efer == other.efer
                && star == other.star
                && lstar == other.lstar
                && cstar == other.cstar
                && sfmask == other.sfmask
                && kernelGsBase == other.kernelGsBase
                && sysenterCs == other.sysenterCs
                && sysenterEsp == other.sysenterEsp
                && sysenterEip == other.sysenterEip
                && pat == other.pat
                && tscAux == other.tscAux
                && debugControl == other.debugControl
                && tscOffset == other.tscOffset
                && tscAdjust == other.tscAdjust
                && Arrays.equals(pdpte, other.pdpte)
                && Arrays.equals(ymm, other.ymm)
                && mxcsr == other.mxcsr
                && xss == other.xss
                && x87.sameAs(other.x87);
    }

    @Override
    public String toString() {
        return ("selectors %s bases %s limits %s rights %s gdt %x:%x idt %x:%x flags %x cr0 %x cr2 %x cr3 %x cr4 %x cr8 %x"
                        + " dr %s xcr0 %x pkru %x pkrs %x efer %x star %x lstar %x cstar %x sfmask %x kernelgs %x"
                        + " sysenter %x:%x:%x pat %x aux %x debug %x tsc %x:%x pdpte %s xss %x mxcsr %x ymm %s"
                        + " x87 %x:%x:%x %s:%s")
                .formatted(
                        Arrays.toString(selector),
                        Arrays.toString(base),
                        Arrays.toString(limit),
                        Arrays.toString(access),
                        gdtBase,
                        gdtLimit,
                        idtBase,
                        idtLimit,
                        flags,
                        cr0,
                        cr2,
                        cr3,
                        cr4,
                        cr8,
                        Arrays.toString(dr),
                        xcr0,
                        pkru,
                        pkrs,
                        efer,
                        star,
                        lstar,
                        cstar,
                        sfmask,
                        kernelGsBase,
                        sysenterCs,
                        sysenterEsp,
                        sysenterEip,
                        pat,
                        tscAux,
                        debugControl,
                        tscOffset,
                        tscAdjust,
                        Arrays.toString(pdpte),
                        xss,
                        mxcsr,
                        Arrays.toString(ymm),
                        x87.control,
                        x87.statusWord(),
                        x87.valid,
                        Arrays.toString(x87.significand),
                        Arrays.toString(x87.signExponent));
    }
}
