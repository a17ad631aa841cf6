package kvasir.metal.snp;

import kvasir.metal.memory.PhysicalMemory;

/**
 * The VMSA page: 4096 bytes, of which the processor knows 0x670 (APM 2, table B-4; Linux {@code struct sev_es_save_area}).
 * A segment is u16 selector, u16 attributes, u32 limit, u64 base.
 */
public final class Vmsa {
    public static final int ES = 0x000;
    public static final int CS = 0x010;
    public static final int SS = 0x020;
    public static final int DS = 0x030;
    public static final int FS = 0x040;
    public static final int GS = 0x050;
    public static final int GDTR = 0x060;
    public static final int LDTR = 0x070;
    public static final int IDTR = 0x080;
    public static final int TR = 0x090;
    public static final int VMPL = 0x0ca;
    public static final int CPL = 0x0cb;
    public static final int EFER = 0x0d0;
    public static final int XSS = 0x140;
    public static final int CR4 = 0x148;
    public static final int CR3 = 0x150;
    public static final int CR0 = 0x158;
    public static final int DR7 = 0x160;
    public static final int DR6 = 0x168;
    public static final int RFLAGS = 0x170;
    public static final int RIP = 0x178;
    /** DR0 to DR3, 8 bytes each. */
    public static final int DR0 = 0x180;

    public static final int RSP = 0x1d8;
    public static final int RAX = 0x1f8;
    public static final int STAR = 0x200;
    public static final int LSTAR = 0x208;
    public static final int CSTAR = 0x210;
    public static final int SFMASK = 0x218;
    public static final int KERNEL_GS_BASE = 0x220;
    public static final int SYSENTER_CS = 0x228;
    public static final int SYSENTER_ESP = 0x230;
    public static final int SYSENTER_EIP = 0x238;
    public static final int CR2 = 0x240;
    public static final int G_PAT = 0x268;
    public static final int DBGCTL = 0x270;
    public static final int PKRU = 0x2e8;
    public static final int TSC_AUX = 0x2ec;
    public static final int RCX = 0x308;
    public static final int RDX = 0x310;
    public static final int RBX = 0x318;
    public static final int RBP = 0x328;
    public static final int RSI = 0x330;
    public static final int RDI = 0x338;
    /** R8 to R15, 8 bytes each. */
    public static final int R8 = 0x340;

    public static final int SEV_FEATURES = 0x3b0;
    public static final int VIRTUAL_TOM = 0x3c8;
    public static final int XCR0 = 0x3e8;
    public static final int MXCSR = 0x408;
    public static final int X87_FTW = 0x40c;
    public static final int X87_FSW = 0x40e;
    public static final int X87_FCW = 0x410;
    public static final int X87_DP = 0x400;
    public static final int X87_FOP = 0x412;
    public static final int X87_RIP = 0x418;
    /** Eight significands of 8 bytes, then eight signs and exponents of 2 bytes. */
    public static final int X87_REGISTERS = 0x420;

    /** Low halves of YMM0 to YMM15, 16 bytes each. */
    public static final int XMM = 0x470;

    /** High halves of YMM0 to YMM15, 16 bytes each. */
    public static final int YMM_HIGH = 0x570;

    /** EFER.SVME: VMRUN refuses a VMSA without it. */
    public static final long EFER_SVME = 0x1000;

    /** SEV_FEATURES bit 0: SNP is active. */
    public static final long SNP_ACTIVE = 1;

    /** Where KVM puts the guest physical address of a VMSA that is not in guest memory. */
    public static final long INITIAL_GPA = 0x0000_ffff_ffff_f000L;

    private Vmsa() {}

    /** Whether firmware takes the page as a VMSA: EFER.SVME and SEV_FEATURES bit 0 are set. */
    public static boolean launchable(PhysicalMemory memory, long spa) {
        return (memory.read64(spa + EFER) & EFER_SVME) != 0 && (memory.read64(spa + SEV_FEATURES) & SNP_ACTIVE) != 0;
    }
}
