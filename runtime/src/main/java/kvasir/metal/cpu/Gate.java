package kvasir.metal.cpu;

import java.util.Set;
import kvasir.metal.cpu.CpuidModel.Feature;
import kvasir.metal.cpu.isa.Encoding;

/**
 * What control registers can refuse to instructions on x87, MMX and vector state (Intel SDM volume 3, "Monitoring of
 * legacy floating-point and vector state", and the exception classes of volume 2). A row belongs to one gate by its CPUID
 * feature and its operands; the rule depends on CR0, CR4 and XCR0 alone, so it is decided when a block is built, and those
 * bits are part of the block's key.
 */
enum Gate {
    /** Nothing is asked. */
    OPEN,
    /** x87 instructions and FXSAVE: #NM if CR0.EM or CR0.TS. */
    X87,
    /** MMX registers only: #UD if CR0.EM, #NM if CR0.TS. */
    MMX,
    /** Legacy encodings on XMM registers or MXCSR: #UD if CR0.EM or not CR4.OSFXSR, #NM if CR0.TS. */
    SSE,
    /** VEX encodings on vector state: #UD if not CR4.OSXSAVE or XCR0[2:1] is not 3, #NM if CR0.TS. */
    AVX,
    /** XSAVE and its kin: #UD if not CR4.OSXSAVE, #NM if CR0.TS. */
    XSAVE,
    /** XGETBV and XSETBV: #UD if not CR4.OSXSAVE. */
    XCR;

    /** What {@link #refusal} answers when the instruction may run. */
    static final int NONE = -1;

    private static final int EM = 1;
    private static final int TS = 2;
    private static final int OSFXSR = 4;
    private static final int OSXSAVE = 8;
    private static final int AVX_STATE = 16;

    private static final Set<Feature> VECTOR = Set.of(
            Feature.SSE,
            Feature.SSE2,
            Feature.SSE3,
            Feature.SSSE3,
            Feature.SSE4_1,
            Feature.SSE4_2,
            Feature.SSE4A,
            Feature.MMXEXT,
            Feature.AES,
            Feature.PCLMULQDQ,
            Feature.SHA,
            Feature.GFNI,
            Feature.AVX,
            Feature.AVX2,
            Feature.FMA,
            Feature.F16C,
            Feature.VAES,
            Feature.VPCLMULQDQ,
            Feature.AVX_VNNI);

    /** The bits of CR0, CR4 and XCR0 that gates look at: five bits. */
    static int key(SystemState sys) {
        return ((sys.cr0 & Bits.CR0_EM) != 0 ? EM : 0)
                | ((sys.cr0 & Bits.CR0_TS) != 0 ? TS : 0)
                | ((sys.cr4 & Bits.CR4_OSFXSR) != 0 ? OSFXSR : 0)
                | ((sys.cr4 & Bits.CR4_OSXSAVE) != 0 ? OSXSAVE : 0)
                | ((sys.xcr0 & 6) == 6 ? AVX_STATE : 0);
    }

    /**
     * The gate of a row. A row of a vector feature without a vector or MMX operand (CRC32, MOVNTI, fences) is open, unless
     * its attributes name a gate ({@code sse}: LDMXCSR; {@code xcr}: XGETBV; {@code x87}: FISTTP).
     */
    static Gate of(Encoding row) {
        if (row.is("xcr")) {
            return XCR;
        }
        if (row.is("x87")) {
            return X87;
        }
        if (row.is("sse")) {
            return row.vex().isPresent() ? AVX : SSE;
        }
        if (row.feature().isEmpty()) {
            return OPEN;
        }
        Feature feature = row.feature().get();
        return switch (feature) {
            case FPU, FXSR -> X87;
            case MMX -> MMX;
            case XSAVE, XSAVEOPT, XSAVEC, XSAVES -> XSAVE;
            default -> VECTOR.contains(feature) ? vector(row) : OPEN;
        };
    }

    private static Gate vector(Encoding row) {
        if (row.usesVectorRegisters()) {
            return row.vex().isPresent() ? AVX : SSE;
        }
        return row.usesMmxRegisters() ? MMX : OPEN;
    }

    /** The vector of the exception that every instruction behind this gate raises, or {@link #NONE}. */
    int refusal(int key) {
        boolean em = (key & EM) != 0;
        boolean xsave = (key & OSXSAVE) != 0;
        int ofTs = (key & TS) != 0 ? Vector.NM : NONE;
        return switch (this) {
            case OPEN -> NONE;
            case X87 -> em ? Vector.NM : ofTs;
            case MMX -> em ? Vector.UD : ofTs;
            case SSE -> em || (key & OSFXSR) == 0 ? Vector.UD : ofTs;
            case AVX -> !xsave || (key & AVX_STATE) == 0 ? Vector.UD : ofTs;
            case XSAVE -> xsave ? ofTs : Vector.UD;
            case XCR -> xsave ? NONE : Vector.UD;
        };
    }
}
