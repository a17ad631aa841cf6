package kvasir.metal.cpu.isa;

/** Rows that save, restore and control x87, MMX and vector state. The columns are explained at {@link Encoding}. */
final class ExtendedStateRows {
    private ExtendedStateRows() {}

    static final String TEXT = """
            FXSAVE64 Ma | NP 0F AE /0 | cpuid=FXSR o64
            FXSAVE Ma | NP 0F AE /0 | cpuid=FXSR
            FXRSTOR64 Ma | NP 0F AE /1 | cpuid=FXSR o64
            FXRSTOR Ma | NP 0F AE /1 | cpuid=FXSR
            LDMXCSR Md | NP 0F AE /2 | cpuid=SSE sse
            STMXCSR Md | NP 0F AE /3 | cpuid=SSE sse
            VLDMXCSR Md | VEX.L0.0F AE /2 | cpuid=AVX sse
            VSTMXCSR Md | VEX.L0.0F AE /3 | cpuid=AVX sse
            XSAVE64 Ma | NP 0F AE /4 | cpuid=XSAVE o64
            XSAVE Ma | NP 0F AE /4 | cpuid=XSAVE
            XRSTOR64 Ma | NP 0F AE /5 | cpuid=XSAVE o64
            XRSTOR Ma | NP 0F AE /5 | cpuid=XSAVE
            XSAVEOPT64 Ma | NP 0F AE /6 | cpuid=XSAVEOPT o64
            XSAVEOPT Ma | NP 0F AE /6 | cpuid=XSAVEOPT
            XRSTORS64 Ma | NP 0F C7 /3 | cpuid=XSAVES o64 cpl0
            XRSTORS Ma | NP 0F C7 /3 | cpuid=XSAVES cpl0
            XSAVEC64 Ma | NP 0F C7 /4 | cpuid=XSAVEC o64
            XSAVEC Ma | NP 0F C7 /4 | cpuid=XSAVEC
            XSAVES64 Ma | NP 0F C7 /5 | cpuid=XSAVES o64 cpl0
            XSAVES Ma | NP 0F C7 /5 | cpuid=XSAVES cpl0
            XGETBV | NP 0F 01 =D0 | cpuid=XSAVE xcr
            XSETBV | NP 0F 01 =D1 | cpuid=XSAVE xcr cpl0
            """;
}
