package kvasir.metal.tdx;

import kvasir.metal.cpu.ControlGuard;

/**
 * What the module does with writes to CR0, CR4 and XCR0 (TDX module base specification, CR0 and CR4 handling, XSETBV):
 * a value that no VMX guest or no TD with these parameters can have is #GP, a bit that TDX owns is #VE.
 */
record TdControls(long attributes, long xfam) implements ControlGuard {
    private static final long CR0_PE = 1;
    private static final long CR0_NE = 1 << 5;
    private static final long CR0_NW_CD = 3L << 29;
    private static final long CR0_PG = 1L << 31;
    private static final long CR4_MCE = 1 << 6;
    private static final long CR4_VMXE_SMXE = 3 << 13;
    private static final long CR4_KL = 1 << 19;
    private static final long CR4_PKE = 1 << 22;
    private static final long CR4_CET = 1 << 23;
    private static final long CR4_PKS = 1 << 24;
    private static final long CR4_UINTR = 1 << 25;
    private static final long XFAM_PK = 1 << 9;
    private static final long XFAM_CET = 3 << 11;
    private static final long XFAM_UINTR = 1 << 14;
    private static final long ATTRIBUTE_PKS = 1L << 30;

    @Override
    public Verdict write(int register, long value) {
        return switch (register) {
            case 0 -> cr0(value);
            case 4 -> cr4(value);
            default -> (value & ~xfam) == 0 ? Verdict.ALLOWED : Verdict.FAULTS;
        };
    }

    private static Verdict cr0(long value) {
        boolean impossible = value >>> 32 != 0 || (value & CR0_NE) == 0 || (value & (CR0_PG | CR0_PE)) == CR0_PG;
        if (impossible) {
            return Verdict.FAULTS;
        }
        return (value & CR0_PE) == 0 || (value & CR0_NW_CD) != 0 ? Verdict.EXITS : Verdict.ALLOWED;
    }

    private Verdict cr4(long value) {
        long refused = CR4_KL
                | ((xfam & XFAM_PK) == 0 ? CR4_PKE : 0)
                | ((xfam & XFAM_CET) != XFAM_CET ? CR4_CET : 0)
                | ((xfam & XFAM_UINTR) == 0 ? CR4_UINTR : 0)
                | ((attributes & ATTRIBUTE_PKS) == 0 ? CR4_PKS : 0);
        if ((value & refused) != 0) {
            return Verdict.FAULTS;
        }
        return (value & CR4_MCE) == 0 || (value & CR4_VMXE_SMXE) != 0 ? Verdict.EXITS : Verdict.ALLOWED;
    }
}
