package kvasir.metal.tdx;

import java.util.List;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.cpu.CpuidModel.Feature;

/**
 * What RDMSR and WRMSR do in a TD (TDX module base specification, MSR virtualization), as rows; the first row that has
 * the number decides, and a number without a row gives #VE.
 */
final class TdMsrs {
    static final int TSC = 0x10;
    static final int ARCH_CAPABILITIES = 0x10a;
    static final int MISC_ENABLE = 0x1a0;
    static final int EFER = 0xc000_0080;
    private static final int CSTAR = 0xc000_0083;
    private static final int TSC_DEADLINE = 0x6e0;

    /** What one instruction does. */
    enum Rule {
        /** The register itself, or that of the virtual APIC page. */
        NATIVE,
        /** The register, if only bits that the TD may change differ; else #VE. */
        CHECKED,
        /** A value that the module makes up. */
        EMULATED,
        VE,
        GP
    }

    private record Row(int first, int last, Rule read, Rule write) {}

    private static final List<Row> ROWS = List.of(
            one(TSC, Rule.NATIVE, Rule.VE),
            one(0x48, Rule.NATIVE, Rule.NATIVE), // SPEC_CTRL
            one(0x49, Rule.NATIVE, Rule.NATIVE), // PRED_CMD
            one(0x87, Rule.GP, Rule.GP), // MKTME_KEYID_PARTITIONING
            range(0x8c, 0x8f, Rule.GP, Rule.GP), // SGX launch key hash
            range(0x98, 0x9b, Rule.GP, Rule.GP),
            one(0x9e, Rule.GP, Rule.GP),
            range(0xc1, 0xc8, Rule.GP, Rule.GP), // PMCs: no PERFMON
            one(0xe1, Rule.GP, Rule.GP), // UMWAIT_CONTROL: no WAITPKG
            one(ARCH_CAPABILITIES, Rule.EMULATED, Rule.GP),
            one(0x10b, Rule.NATIVE, Rule.NATIVE), // FLUSH_CMD
            one(0x122, Rule.GP, Rule.GP), // TSX_CTRL
            range(0x174, 0x176, Rule.NATIVE, Rule.NATIVE), // SYSENTER
            range(0x186, 0x18d, Rule.GP, Rule.GP), // PERFEVTSEL
            one(0x195, Rule.GP, Rule.GP),
            one(MISC_ENABLE, Rule.EMULATED, Rule.VE),
            one(0x1c4, Rule.GP, Rule.GP), // XFD
            one(0x1c5, Rule.GP, Rule.GP),
            one(0x1d9, Rule.NATIVE, Rule.NATIVE), // DEBUGCTL
            range(0x1f8, 0x1fa, Rule.GP, Rule.GP), // DCA
            one(0x276, Rule.GP, Rule.GP),
            one(0x277, Rule.NATIVE, Rule.NATIVE), // PAT
            range(0x309, 0x30c, Rule.GP, Rule.GP), // fixed counters
            one(0x345, Rule.GP, Rule.GP),
            range(0x38d, 0x392, Rule.GP, Rule.GP),
            range(0x3f1, 0x3f7, Rule.GP, Rule.GP),
            one(0x480, Rule.GP, Rule.GP), // VMX capabilities
            range(0x481, 0x484, Rule.VE, Rule.GP),
            range(0x485, 0x489, Rule.GP, Rule.GP),
            one(0x48a, Rule.VE, Rule.GP),
            range(0x48b, 0x492, Rule.GP, Rule.GP),
            range(0x4c1, 0x4c8, Rule.GP, Rule.GP),
            one(0x500, Rule.GP, Rule.GP),
            range(0x560, 0x587, Rule.GP, Rule.GP), // processor trace
            range(0x6a0, 0x6a8, Rule.GP, Rule.GP), // CET
            one(0x6e1, Rule.GP, Rule.GP), // PKRS
            range(0x800, 0x801, Rule.GP, Rule.GP),
            range(0x804, 0x807, Rule.GP, Rule.GP),
            range(0x808, 0x80c, Rule.NATIVE, Rule.NATIVE), // TPR, PPR, EOI
            one(0x80e, Rule.NATIVE, Rule.NATIVE),
            range(0x810, 0x827, Rule.NATIVE, Rule.NATIVE), // ISR, TMR, IRR
            range(0x829, 0x82e, Rule.GP, Rule.GP),
            one(0x831, Rule.GP, Rule.GP),
            one(0x83f, Rule.NATIVE, Rule.NATIVE), // SELF_IPI
            range(0x840, 0x8ff, Rule.GP, Rule.GP),
            range(0x981, 0x984, Rule.GP, Rule.GP), // TME
            range(0x985, 0x98a, Rule.GP, Rule.GP), // UINTR
            one(0xd90, Rule.GP, Rule.GP),
            one(0xd93, Rule.GP, Rule.GP),
            one(0xda0, Rule.NATIVE, Rule.NATIVE), // XSS
            one(EFER, Rule.NATIVE, Rule.CHECKED),
            range(0xc000_0081, 0xc000_0082, Rule.NATIVE, Rule.NATIVE), // STAR, LSTAR
            one(0xc000_0084, Rule.NATIVE, Rule.NATIVE), // FMASK
            range(0xc000_0100, 0xc000_0103, Rule.NATIVE, Rule.NATIVE)); // FS, GS and kernel GS base, TSC_AUX

    private TdMsrs() {}

    private static Row one(int index, Rule read, Rule write) {
        return new Row(index, index, read, write);
    }

    private static Row range(int first, int last, Rule read, Rule write) {
        return new Row(first, last, read, write);
    }

    static Rule read(CpuidModel model, int index) {
        return rule(model, index, false);
    }

    static Rule write(CpuidModel model, int index) {
        return rule(model, index, true);
    }

    private static Rule rule(CpuidModel model, int index, boolean write) {
        if (index == TSC_DEADLINE) {
            return model.has(Feature.TSC_DEADLINE) ? Rule.VE : Rule.GP;
        }
        for (Row row : ROWS) {
            if (index >= row.first && index <= row.last) {
                return write ? row.write : row.read;
            }
        }
        return Rule.VE;
    }

    /** Whether the processor may not do RDMSR by itself although it keeps the register. */
    static boolean interceptsRead(int index) {
        return index == CSTAR || index == ARCH_CAPABILITIES || index == MISC_ENABLE;
    }

    /** The same of WRMSR. */
    static boolean interceptsWrite(int index) {
        return index == CSTAR || index == ARCH_CAPABILITIES || index == MISC_ENABLE || index == TSC || index == EFER;
    }
}
