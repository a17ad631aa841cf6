package kvasir.metal.cpu.isa;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Rows of the XMM and YMM instructions: SSE to SSE4.2, SSE4a, AES, PCLMULQDQ, SHA, AVX, AVX2, FMA, F16C, VAES,
 * VPCLMULQDQ, GFNI, AVX-VNNI. Most come three at a time, a legacy form and its VEX forms of 128 and 256 bits, from one line of a
 * {@link Family}. The columns of {@link #TEXT} are explained at {@link Encoding}.
 */
final class VectorRows {
    private VectorRows() {}

    /**
     * Instructions that differ in name and opcode only: each line is a mnemonic, a mandatory prefix and an opcode with
     * its map.
     *
     * @param shape of the operands
     * @param legacy feature of the legacy form
     * @param narrow feature of the VEX form of 128 bits
     * @param wide feature of the VEX form of 256 bits; empty if there is none
     * @param lines the instructions
     */
    private record Family(Shape shape, String legacy, String narrow, String wide, String lines) {}

    /** Operands of the legacy form, of VEX.128 and of VEX.256; {@code *} marks a legacy form that needs alignment. */
    private enum Shape {
        /** Two packed sources, the first also the destination of the legacy form. */
        THREE("Vdq,Wdq*", "Vdq,Hdq,Wdq", "Vqq,Hqq,Wqq"),
        THREE_IMMEDIATE("Vdq,Wdq,Ib*", "Vdq,Hdq,Wdq,Ib", "Vqq,Hqq,Wqq,Ib"),
        /** One packed source. */
        TWO("Vdq,Wdq*", "Vdq,Wdq", "Vqq,Wqq"),
        TWO_IMMEDIATE("Vdq,Wdq,Ib*", "Vdq,Wdq,Ib", "Vqq,Wqq,Ib"),
        /** A count in a register of 128 bits or memory of 16 bytes. */
        SHIFT("Vdq,Wdq*", "Vdq,Hdq,Wdq", "Vqq,Hqq,Wdq"),
        SHIFT_IMMEDIATE("Udq,Ib", "Hdq,Udq,Ib", "Hqq,Uqq,Ib"),
        SINGLE("Vdq,Wdq/d", "Vdq,Hdq,Wdq/d", ""),
        SINGLE_IMMEDIATE("Vdq,Wdq/d,Ib", "Vdq,Hdq,Wdq/d,Ib", ""),
        DOUBLE("Vdq,Wdq/q", "Vdq,Hdq,Wdq/q", ""),
        DOUBLE_IMMEDIATE("Vdq,Wdq/q,Ib", "Vdq,Hdq,Wdq/q,Ib", ""),
        /** A source of half, a quarter or an eighth of the destination. */
        FROM_HALF("Vdq,Wdq/q", "Vdq,Wdq/q", "Vqq,Wdq"),
        FROM_QUARTER("Vdq,Wdq/d", "Vdq,Wdq/d", "Vqq,Wdq/q"),
        FROM_EIGHTH("Vdq,Wdq/w", "Vdq,Wdq/w", "Vqq,Wdq/d"),
        /** A result of half the source. */
        TO_HALF("Vdq,Wdq*", "Vdq,Wdq", "Vdq,Wqq"),
        LOAD("Vdq,Wdq", "Vdq,Wdq", "Vqq,Wqq"),
        STORE("Wdq,Vdq", "Wdq,Vdq", "Wqq,Vqq"),
        ALIGNED_LOAD("Vdq,Wdq*", "Vdq,Wdq*", "Vqq,Wqq*"),
        ALIGNED_STORE("Wdq,Vdq*", "Wdq,Vdq*", "Wqq,Vqq*"),
        STREAM("Mdq,Vdq*", "Mdq,Vdq*", "Mqq,Vqq*"),
        STREAM_LOAD("Vdq,Mdq*", "Vdq,Mdq*", "Vqq,Mqq*"),
        ANY_LOAD("Vdq,Mdq", "Vdq,Mdq", "Vqq,Mqq"),
        MASK("Gd,Udq", "Gd,Udq", "Gd,Uqq");

        private final String legacy;
        private final String narrow;
        private final String wide;

        Shape(String legacy, String narrow, String wide) {
            this.legacy = legacy;
            this.narrow = narrow;
            this.wide = wide;
        }

        /** VEX forms of scalars take either VEX.L. */
        boolean scalar() {
            return wide.isEmpty();
        }
    }

    private static final List<Family> FAMILIES = List.of(
            new Family(Shape.THREE, "SSE", "AVX", "AVX", """
                    ANDPS NP 0F 54
                    ANDNPS NP 0F 55
                    ORPS NP 0F 56
                    XORPS NP 0F 57
                    ADDPS NP 0F 58
                    MULPS NP 0F 59
                    SUBPS NP 0F 5C
                    MINPS NP 0F 5D
                    DIVPS NP 0F 5E
                    MAXPS NP 0F 5F
                    UNPCKLPS NP 0F 14
                    UNPCKHPS NP 0F 15
                    """),
            new Family(Shape.THREE, "SSE2", "AVX", "AVX", """
                    ANDPD 66 0F 54
                    ANDNPD 66 0F 55
                    ORPD 66 0F 56
                    XORPD 66 0F 57
                    ADDPD 66 0F 58
                    MULPD 66 0F 59
                    SUBPD 66 0F 5C
                    MINPD 66 0F 5D
                    DIVPD 66 0F 5E
                    MAXPD 66 0F 5F
                    UNPCKLPD 66 0F 14
                    UNPCKHPD 66 0F 15
                    """),
            new Family(Shape.SINGLE, "SSE", "AVX", "", """
                    SQRTSS F3 0F 51
                    RSQRTSS F3 0F 52
                    RCPSS F3 0F 53
                    ADDSS F3 0F 58
                    MULSS F3 0F 59
                    SUBSS F3 0F 5C
                    MINSS F3 0F 5D
                    DIVSS F3 0F 5E
                    MAXSS F3 0F 5F
                    """),
            new Family(Shape.DOUBLE, "SSE2", "AVX", "", """
                    SQRTSD F2 0F 51
                    ADDSD F2 0F 58
                    MULSD F2 0F 59
                    SUBSD F2 0F 5C
                    MINSD F2 0F 5D
                    DIVSD F2 0F 5E
                    MAXSD F2 0F 5F
                    CVTSD2SS F2 0F 5A
                    """),
            new Family(Shape.SINGLE, "SSE2", "AVX", "", "CVTSS2SD F3 0F 5A"),
            new Family(Shape.THREE_IMMEDIATE, "SSE", "AVX", "AVX", """
                    CMPPS NP 0F C2
                    SHUFPS NP 0F C6
                    """),
            new Family(Shape.THREE_IMMEDIATE, "SSE2", "AVX", "AVX", """
                    CMPPD 66 0F C2
                    SHUFPD 66 0F C6
                    """),
            new Family(Shape.SINGLE_IMMEDIATE, "SSE", "AVX", "", "CMPSS F3 0F C2"),
            new Family(Shape.DOUBLE_IMMEDIATE, "SSE2", "AVX", "", "CMPSD F2 0F C2"),
            new Family(Shape.TWO, "SSE", "AVX", "AVX", """
                    SQRTPS NP 0F 51
                    RSQRTPS NP 0F 52
                    RCPPS NP 0F 53
                    """),
            new Family(Shape.TWO, "SSE2", "AVX", "AVX", """
                    SQRTPD 66 0F 51
                    CVTDQ2PS NP 0F 5B
                    CVTPS2DQ 66 0F 5B
                    CVTTPS2DQ F3 0F 5B
                    """),
            new Family(Shape.FROM_HALF, "SSE2", "AVX", "AVX", """
                    CVTPS2PD NP 0F 5A
                    CVTDQ2PD F3 0F E6
                    """),
            new Family(Shape.TO_HALF, "SSE2", "AVX", "AVX", """
                    CVTPD2PS 66 0F 5A
                    CVTPD2DQ F2 0F E6
                    CVTTPD2DQ 66 0F E6
                    """),
            new Family(Shape.LOAD, "SSE", "AVX", "AVX", "MOVUPS NP 0F 10"),
            new Family(Shape.STORE, "SSE", "AVX", "AVX", "MOVUPS NP 0F 11"),
            new Family(Shape.LOAD, "SSE2", "AVX", "AVX", """
                    MOVUPD 66 0F 10
                    MOVDQU F3 0F 6F
                    """),
            new Family(Shape.STORE, "SSE2", "AVX", "AVX", """
                    MOVUPD 66 0F 11
                    MOVDQU F3 0F 7F
                    """),
            new Family(Shape.ALIGNED_LOAD, "SSE", "AVX", "AVX", "MOVAPS NP 0F 28"),
            new Family(Shape.ALIGNED_STORE, "SSE", "AVX", "AVX", "MOVAPS NP 0F 29"),
            new Family(Shape.ALIGNED_LOAD, "SSE2", "AVX", "AVX", """
                    MOVAPD 66 0F 28
                    MOVDQA 66 0F 6F
                    """),
            new Family(Shape.ALIGNED_STORE, "SSE2", "AVX", "AVX", """
                    MOVAPD 66 0F 29
                    MOVDQA 66 0F 7F
                    """),
            new Family(Shape.STREAM, "SSE", "AVX", "AVX", "MOVNTPS NP 0F 2B"),
            new Family(Shape.STREAM, "SSE2", "AVX", "AVX", """
                    MOVNTPD 66 0F 2B
                    MOVNTDQ 66 0F E7
                    """),
            new Family(Shape.STREAM_LOAD, "SSE4_1", "AVX", "AVX2", "MOVNTDQA 66 0F38 2A"),
            new Family(Shape.ANY_LOAD, "SSE3", "AVX", "AVX", "LDDQU F2 0F F0"),
            new Family(Shape.MASK, "SSE", "AVX", "AVX", "MOVMSKPS NP 0F 50"),
            new Family(Shape.MASK, "SSE2", "AVX", "AVX", "MOVMSKPD 66 0F 50"),
            new Family(Shape.MASK, "SSE2", "AVX", "AVX2", "PMOVMSKB 66 0F D7"),
            new Family(Shape.TWO, "SSE3", "AVX", "AVX", """
                    MOVSLDUP F3 0F 12
                    MOVSHDUP F3 0F 16
                    """),
            new Family(Shape.THREE, "SSE3", "AVX", "AVX", """
                    HADDPD 66 0F 7C
                    HADDPS F2 0F 7C
                    HSUBPD 66 0F 7D
                    HSUBPS F2 0F 7D
                    ADDSUBPD 66 0F D0
                    ADDSUBPS F2 0F D0
                    """),
            new Family(Shape.TWO_IMMEDIATE, "SSE2", "AVX", "AVX2", """
                    PSHUFD 66 0F 70
                    PSHUFHW F3 0F 70
                    PSHUFLW F2 0F 70
                    """),
            new Family(Shape.SHIFT_IMMEDIATE, "SSE2", "AVX", "AVX2", """
                    PSRLW 66 0F 71 /2
                    PSRAW 66 0F 71 /4
                    PSLLW 66 0F 71 /6
                    PSRLD 66 0F 72 /2
                    PSRAD 66 0F 72 /4
                    PSLLD 66 0F 72 /6
                    PSRLQ 66 0F 73 /2
                    PSRLDQ 66 0F 73 /3
                    PSLLQ 66 0F 73 /6
                    PSLLDQ 66 0F 73 /7
                    """),
            new Family(Shape.SHIFT, "SSE2", "AVX", "AVX2", """
                    PSRLW 66 0F D1
                    PSRLD 66 0F D2
                    PSRLQ 66 0F D3
                    PSRAW 66 0F E1
                    PSRAD 66 0F E2
                    PSLLW 66 0F F1
                    PSLLD 66 0F F2
                    PSLLQ 66 0F F3
                    """),
            new Family(Shape.THREE, "SSE2", "AVX", "AVX2", """
                    PUNPCKLBW 66 0F 60
                    PUNPCKLWD 66 0F 61
                    PUNPCKLDQ 66 0F 62
                    PACKSSWB 66 0F 63
                    PCMPGTB 66 0F 64
                    PCMPGTW 66 0F 65
                    PCMPGTD 66 0F 66
                    PACKUSWB 66 0F 67
                    PUNPCKHBW 66 0F 68
                    PUNPCKHWD 66 0F 69
                    PUNPCKHDQ 66 0F 6A
                    PACKSSDW 66 0F 6B
                    PUNPCKLQDQ 66 0F 6C
                    PUNPCKHQDQ 66 0F 6D
                    PCMPEQB 66 0F 74
                    PCMPEQW 66 0F 75
                    PCMPEQD 66 0F 76
                    PADDQ 66 0F D4
                    PMULLW 66 0F D5
                    PSUBUSB 66 0F D8
                    PSUBUSW 66 0F D9
                    PMINUB 66 0F DA
                    PAND 66 0F DB
                    PADDUSB 66 0F DC
                    PADDUSW 66 0F DD
                    PMAXUB 66 0F DE
                    PANDN 66 0F DF
                    PAVGB 66 0F E0
                    PAVGW 66 0F E3
                    PMULHUW 66 0F E4
                    PMULHW 66 0F E5
                    PSUBSB 66 0F E8
                    PSUBSW 66 0F E9
                    PMINSW 66 0F EA
                    POR 66 0F EB
                    PADDSB 66 0F EC
                    PADDSW 66 0F ED
                    PMAXSW 66 0F EE
                    PXOR 66 0F EF
                    PMULUDQ 66 0F F4
                    PMADDWD 66 0F F5
                    PSADBW 66 0F F6
                    PSUBB 66 0F F8
                    PSUBW 66 0F F9
                    PSUBD 66 0F FA
                    PSUBQ 66 0F FB
                    PADDB 66 0F FC
                    PADDW 66 0F FD
                    PADDD 66 0F FE
                    """),
            new Family(Shape.THREE, "SSSE3", "AVX", "AVX2", """
                    PSHUFB 66 0F38 00
                    PHADDW 66 0F38 01
                    PHADDD 66 0F38 02
                    PHADDSW 66 0F38 03
                    PMADDUBSW 66 0F38 04
                    PHSUBW 66 0F38 05
                    PHSUBD 66 0F38 06
                    PHSUBSW 66 0F38 07
                    PSIGNB 66 0F38 08
                    PSIGNW 66 0F38 09
                    PSIGND 66 0F38 0A
                    PMULHRSW 66 0F38 0B
                    """),
            new Family(Shape.TWO, "SSSE3", "AVX", "AVX2", """
                    PABSB 66 0F38 1C
                    PABSW 66 0F38 1D
                    PABSD 66 0F38 1E
                    """),
            new Family(Shape.THREE_IMMEDIATE, "SSSE3", "AVX", "AVX2", "PALIGNR 66 0F3A 0F"),
            new Family(Shape.THREE, "SSE4_1", "AVX", "AVX2", """
                    PMULDQ 66 0F38 28
                    PCMPEQQ 66 0F38 29
                    PACKUSDW 66 0F38 2B
                    PMINSB 66 0F38 38
                    PMINSD 66 0F38 39
                    PMINUW 66 0F38 3A
                    PMINUD 66 0F38 3B
                    PMAXSB 66 0F38 3C
                    PMAXSD 66 0F38 3D
                    PMAXUW 66 0F38 3E
                    PMAXUD 66 0F38 3F
                    PMULLD 66 0F38 40
                    """),
            new Family(Shape.FROM_HALF, "SSE4_1", "AVX", "AVX2", """
                    PMOVSXBW 66 0F38 20
                    PMOVSXWD 66 0F38 23
                    PMOVSXDQ 66 0F38 25
                    PMOVZXBW 66 0F38 30
                    PMOVZXWD 66 0F38 33
                    PMOVZXDQ 66 0F38 35
                    """),
            new Family(Shape.FROM_QUARTER, "SSE4_1", "AVX", "AVX2", """
                    PMOVSXBD 66 0F38 21
                    PMOVSXWQ 66 0F38 24
                    PMOVZXBD 66 0F38 31
                    PMOVZXWQ 66 0F38 34
                    """),
            new Family(Shape.FROM_EIGHTH, "SSE4_1", "AVX", "AVX2", """
                    PMOVSXBQ 66 0F38 22
                    PMOVZXBQ 66 0F38 32
                    """),
            new Family(Shape.TWO_IMMEDIATE, "SSE4_1", "AVX", "AVX", """
                    ROUNDPS 66 0F3A 08
                    ROUNDPD 66 0F3A 09
                    """),
            new Family(Shape.SINGLE_IMMEDIATE, "SSE4_1", "AVX", "", "ROUNDSS 66 0F3A 0A"),
            new Family(Shape.DOUBLE_IMMEDIATE, "SSE4_1", "AVX", "", "ROUNDSD 66 0F3A 0B"),
            new Family(Shape.THREE_IMMEDIATE, "SSE4_1", "AVX", "AVX", """
                    BLENDPS 66 0F3A 0C
                    BLENDPD 66 0F3A 0D
                    DPPS 66 0F3A 40
                    """),
            new Family(Shape.THREE_IMMEDIATE, "SSE4_1", "AVX", "AVX2", """
                    PBLENDW 66 0F3A 0E
                    MPSADBW 66 0F3A 42
                    """),
            new Family(Shape.THREE, "SSE4_2", "AVX", "AVX2", "PCMPGTQ 66 0F38 37"),
            new Family(Shape.THREE, "AES", "AES", "VAES", """
                    AESENC 66 0F38 DC
                    AESENCLAST 66 0F38 DD
                    AESDEC 66 0F38 DE
                    AESDECLAST 66 0F38 DF
                    """),
            new Family(Shape.THREE_IMMEDIATE, "PCLMULQDQ", "PCLMULQDQ", "VPCLMULQDQ", "PCLMULQDQ 66 0F3A 44"));

    private static final String TEXT = """
            PTEST Vdq,Wdq | 66 0F 38 17 /r | cpuid=SSE4_1 aligned | 00Z00C
            VPTEST Vdq,Wdq | VEX.L0.66.0F38 17 /r | cpuid=AVX | 00Z00C
            VPTEST Vqq,Wqq | VEX.L1.66.0F38 17 /r | cpuid=AVX | 00Z00C
            VTESTPS Vdq,Wdq | VEX.L0.66.0F38.W0 0E /r | cpuid=AVX | 00Z00C
            VTESTPS Vqq,Wqq | VEX.L1.66.0F38.W0 0E /r | cpuid=AVX | 00Z00C
            VTESTPD Vdq,Wdq | VEX.L0.66.0F38.W0 0F /r | cpuid=AVX | 00Z00C
            VTESTPD Vqq,Wqq | VEX.L1.66.0F38.W0 0F /r | cpuid=AVX | 00Z00C
            UCOMISS Vdq,Wdq/d | NP 0F 2E /r | cpuid=SSE | 00ZAPC
            COMISS Vdq,Wdq/d | NP 0F 2F /r | cpuid=SSE | 00ZAPC
            UCOMISD Vdq,Wdq/q | 66 0F 2E /r | cpuid=SSE2 | 00ZAPC
            COMISD Vdq,Wdq/q | 66 0F 2F /r | cpuid=SSE2 | 00ZAPC
            VUCOMISS Vdq,Wdq/d | VEX.0F 2E /r | cpuid=AVX | 00ZAPC
            VCOMISS Vdq,Wdq/d | VEX.0F 2F /r | cpuid=AVX | 00ZAPC
            VUCOMISD Vdq,Wdq/q | VEX.66.0F 2E /r | cpuid=AVX | 00ZAPC
            VCOMISD Vdq,Wdq/q | VEX.66.0F 2F /r | cpuid=AVX | 00ZAPC
            CVTSI2SS Vdq,Ey | F3 0F 2A /r | cpuid=SSE
            CVTSI2SD Vdq,Ey | F2 0F 2A /r | cpuid=SSE2
            VCVTSI2SS Vdq,Hdq,Ey | VEX.F3.0F 2A /r | cpuid=AVX
            VCVTSI2SD Vdq,Hdq,Ey | VEX.F2.0F 2A /r | cpuid=AVX
            CVTTSS2SI Gy,Wdq/d | F3 0F 2C /r | cpuid=SSE
            CVTSS2SI Gy,Wdq/d | F3 0F 2D /r | cpuid=SSE
            CVTTSD2SI Gy,Wdq/q | F2 0F 2C /r | cpuid=SSE2
            CVTSD2SI Gy,Wdq/q | F2 0F 2D /r | cpuid=SSE2
            VCVTTSS2SI Gy,Wdq/d | VEX.F3.0F 2C /r | cpuid=AVX
            VCVTSS2SI Gy,Wdq/d | VEX.F3.0F 2D /r | cpuid=AVX
            VCVTTSD2SI Gy,Wdq/q | VEX.F2.0F 2C /r | cpuid=AVX
            VCVTSD2SI Gy,Wdq/q | VEX.F2.0F 2D /r | cpuid=AVX
            MOVSS Vdq,Udq | F3 0F 10 /r | cpuid=SSE
            MOVSS Vdq,Md | F3 0F 10 /r | cpuid=SSE
            MOVSS Udq,Vdq | F3 0F 11 /r | cpuid=SSE
            MOVSS Md,Vdq | F3 0F 11 /r | cpuid=SSE
            MOVSD Vdq,Udq | F2 0F 10 /r | cpuid=SSE2
            MOVSD Vdq,Mq | F2 0F 10 /r | cpuid=SSE2
            MOVSD Udq,Vdq | F2 0F 11 /r | cpuid=SSE2
            MOVSD Mq,Vdq | F2 0F 11 /r | cpuid=SSE2
            VMOVSS Vdq,Hdq,Udq | VEX.F3.0F 10 /r | cpuid=AVX
            VMOVSS Vdq,Md | VEX.F3.0F 10 /r | cpuid=AVX
            VMOVSS Udq,Hdq,Vdq | VEX.F3.0F 11 /r | cpuid=AVX
            VMOVSS Md,Vdq | VEX.F3.0F 11 /r | cpuid=AVX
            VMOVSD Vdq,Hdq,Udq | VEX.F2.0F 10 /r | cpuid=AVX
            VMOVSD Vdq,Mq | VEX.F2.0F 10 /r | cpuid=AVX
            VMOVSD Udq,Hdq,Vdq | VEX.F2.0F 11 /r | cpuid=AVX
            VMOVSD Mq,Vdq | VEX.F2.0F 11 /r | cpuid=AVX
            MOVLPS Vdq,Mq | NP 0F 12 /r | cpuid=SSE
            MOVHLPS Vdq,Udq | NP 0F 12 /r | cpuid=SSE
            MOVLPS Mq,Vdq | NP 0F 13 /r | cpuid=SSE
            MOVHPS Vdq,Mq | NP 0F 16 /r | cpuid=SSE
            MOVLHPS Vdq,Udq | NP 0F 16 /r | cpuid=SSE
            MOVHPS Mq,Vdq | NP 0F 17 /r | cpuid=SSE
            MOVLPD Vdq,Mq | 66 0F 12 /r | cpuid=SSE2
            MOVLPD Mq,Vdq | 66 0F 13 /r | cpuid=SSE2
            MOVHPD Vdq,Mq | 66 0F 16 /r | cpuid=SSE2
            MOVHPD Mq,Vdq | 66 0F 17 /r | cpuid=SSE2
            VMOVLPS Vdq,Hdq,Mq | VEX.L0.0F 12 /r | cpuid=AVX
            VMOVHLPS Vdq,Hdq,Udq | VEX.L0.0F 12 /r | cpuid=AVX
            VMOVLPS Mq,Vdq | VEX.L0.0F 13 /r | cpuid=AVX
            VMOVHPS Vdq,Hdq,Mq | VEX.L0.0F 16 /r | cpuid=AVX
            VMOVLHPS Vdq,Hdq,Udq | VEX.L0.0F 16 /r | cpuid=AVX
            VMOVHPS Mq,Vdq | VEX.L0.0F 17 /r | cpuid=AVX
            VMOVLPD Vdq,Hdq,Mq | VEX.L0.66.0F 12 /r | cpuid=AVX
            VMOVLPD Mq,Vdq | VEX.L0.66.0F 13 /r | cpuid=AVX
            VMOVHPD Vdq,Hdq,Mq | VEX.L0.66.0F 16 /r | cpuid=AVX
            VMOVHPD Mq,Vdq | VEX.L0.66.0F 17 /r | cpuid=AVX
            MOVDDUP Vdq,Wdq/q | F2 0F 12 /r | cpuid=SSE3
            VMOVDDUP Vdq,Wdq/q | VEX.L0.F2.0F 12 /r | cpuid=AVX
            VMOVDDUP Vqq,Wqq | VEX.L1.F2.0F 12 /r | cpuid=AVX
            MOVQ Vdq,Eq | 66 0F 6E /r | x64 o64 cpuid=SSE2
            MOVD Vdq,Ed | 66 0F 6E /r | cpuid=SSE2
            MOVQ Eq,Vdq | 66 0F 7E /r | x64 o64 cpuid=SSE2
            MOVD Ed,Vdq | 66 0F 7E /r | cpuid=SSE2
            VMOVQ Vdq,Eq | VEX.L0.66.0F.W1 6E /r | x64 cpuid=AVX
            VMOVD Vdq,Ed | VEX.L0.66.0F 6E /r | cpuid=AVX
            VMOVQ Eq,Vdq | VEX.L0.66.0F.W1 7E /r | x64 cpuid=AVX
            VMOVD Ed,Vdq | VEX.L0.66.0F 7E /r | cpuid=AVX
            MOVQ Vdq,Wdq/q | F3 0F 7E /r | cpuid=SSE2
            MOVQ Wdq/q,Vdq | 66 0F D6 /r | cpuid=SSE2
            VMOVQ Vdq,Wdq/q | VEX.L0.F3.0F 7E /r | cpuid=AVX
            VMOVQ Wdq/q,Vdq | VEX.L0.66.0F D6 /r | cpuid=AVX
            MASKMOVDQU Vdq,Udq | 66 0F F7 /r | cpuid=SSE2
            VMASKMOVDQU Vdq,Udq | VEX.L0.66.0F F7 /r | cpuid=AVX
            PINSRW Vdq,Ed/w,Ib | 66 0F C4 /r | cpuid=SSE2
            VPINSRW Vdq,Hdq,Ed/w,Ib | VEX.L0.66.0F C4 /r | cpuid=AVX
            PEXTRW Gd,Udq,Ib | 66 0F C5 /r | cpuid=SSE2
            VPEXTRW Gd,Udq,Ib | VEX.L0.66.0F C5 /r | cpuid=AVX
            PEXTRB Ed/b,Vdq,Ib | 66 0F 3A 14 /r | cpuid=SSE4_1
            PEXTRW Ed/w,Vdq,Ib | 66 0F 3A 15 /r | cpuid=SSE4_1
            PEXTRQ Eq,Vdq,Ib | 66 0F 3A 16 /r | x64 o64 cpuid=SSE4_1
            PEXTRD Ed,Vdq,Ib | 66 0F 3A 16 /r | cpuid=SSE4_1
            EXTRACTPS Ed,Vdq,Ib | 66 0F 3A 17 /r | cpuid=SSE4_1
            VPEXTRB Ed/b,Vdq,Ib | VEX.L0.66.0F3A 14 /r | cpuid=AVX
            VPEXTRW Ed/w,Vdq,Ib | VEX.L0.66.0F3A 15 /r | cpuid=AVX
            VPEXTRQ Eq,Vdq,Ib | VEX.L0.66.0F3A.W1 16 /r | x64 cpuid=AVX
            VPEXTRD Ed,Vdq,Ib | VEX.L0.66.0F3A.W0 16 /r | cpuid=AVX
            VEXTRACTPS Ed,Vdq,Ib | VEX.L0.66.0F3A 17 /r | cpuid=AVX
            PINSRB Vdq,Ed/b,Ib | 66 0F 3A 20 /r | cpuid=SSE4_1
            INSERTPS Vdq,Wdq/d,Ib | 66 0F 3A 21 /r | cpuid=SSE4_1
            PINSRQ Vdq,Eq,Ib | 66 0F 3A 22 /r | x64 o64 cpuid=SSE4_1
            PINSRD Vdq,Ed,Ib | 66 0F 3A 22 /r | cpuid=SSE4_1
            VPINSRB Vdq,Hdq,Ed/b,Ib | VEX.L0.66.0F3A 20 /r | cpuid=AVX
            VINSERTPS Vdq,Hdq,Wdq/d,Ib | VEX.L0.66.0F3A 21 /r | cpuid=AVX
            VPINSRQ Vdq,Hdq,Eq,Ib | VEX.L0.66.0F3A.W1 22 /r | x64 cpuid=AVX
            VPINSRD Vdq,Hdq,Ed,Ib | VEX.L0.66.0F3A.W0 22 /r | cpuid=AVX
            PHMINPOSUW Vdq,Wdq | 66 0F 38 41 /r | cpuid=SSE4_1 aligned
            VPHMINPOSUW Vdq,Wdq | VEX.L0.66.0F38 41 /r | cpuid=AVX
            PBLENDVB Vdq,Wdq,XMM0 | 66 0F 38 10 /r | cpuid=SSE4_1 aligned
            BLENDVPS Vdq,Wdq,XMM0 | 66 0F 38 14 /r | cpuid=SSE4_1 aligned
            BLENDVPD Vdq,Wdq,XMM0 | 66 0F 38 15 /r | cpuid=SSE4_1 aligned
            VBLENDVPS Vdq,Hdq,Wdq,Ldq | VEX.L0.66.0F3A.W0 4A /r | cpuid=AVX
            VBLENDVPS Vqq,Hqq,Wqq,Lqq | VEX.L1.66.0F3A.W0 4A /r | cpuid=AVX
            VBLENDVPD Vdq,Hdq,Wdq,Ldq | VEX.L0.66.0F3A.W0 4B /r | cpuid=AVX
            VBLENDVPD Vqq,Hqq,Wqq,Lqq | VEX.L1.66.0F3A.W0 4B /r | cpuid=AVX
            VPBLENDVB Vdq,Hdq,Wdq,Ldq | VEX.L0.66.0F3A.W0 4C /r | cpuid=AVX
            VPBLENDVB Vqq,Hqq,Wqq,Lqq | VEX.L1.66.0F3A.W0 4C /r | cpuid=AVX2
            DPPD Vdq,Wdq,Ib | 66 0F 3A 41 /r | cpuid=SSE4_1 aligned
            VDPPD Vdq,Hdq,Wdq,Ib | VEX.L0.66.0F3A 41 /r | cpuid=AVX
            PCMPESTRM Vdq,Wdq,Ib | 66 0F 3A 60 /r | cpuid=SSE4_2 | OSZ00C
            PCMPESTRI Vdq,Wdq,Ib | 66 0F 3A 61 /r | cpuid=SSE4_2 | OSZ00C
            PCMPISTRM Vdq,Wdq,Ib | 66 0F 3A 62 /r | cpuid=SSE4_2 | OSZ00C
            PCMPISTRI Vdq,Wdq,Ib | 66 0F 3A 63 /r | cpuid=SSE4_2 | OSZ00C
            VPCMPESTRM Vdq,Wdq,Ib | VEX.L0.66.0F3A 60 /r | cpuid=AVX | OSZ00C
            VPCMPESTRI Vdq,Wdq,Ib | VEX.L0.66.0F3A 61 /r | cpuid=AVX | OSZ00C
            VPCMPISTRM Vdq,Wdq,Ib | VEX.L0.66.0F3A 62 /r | cpuid=AVX | OSZ00C
            VPCMPISTRI Vdq,Wdq,Ib | VEX.L0.66.0F3A 63 /r | cpuid=AVX | OSZ00C
            AESIMC Vdq,Wdq | 66 0F 38 DB /r | cpuid=AES aligned
            VAESIMC Vdq,Wdq | VEX.L0.66.0F38 DB /r | cpuid=AES
            AESKEYGENASSIST Vdq,Wdq,Ib | 66 0F 3A DF /r | cpuid=AES aligned
            VAESKEYGENASSIST Vdq,Wdq,Ib | VEX.L0.66.0F3A DF /r | cpuid=AES
            SHA1NEXTE Vdq,Wdq | NP 0F 38 C8 /r | cpuid=SHA alignedintel
            SHA1MSG1 Vdq,Wdq | NP 0F 38 C9 /r | cpuid=SHA alignedintel
            SHA1MSG2 Vdq,Wdq | NP 0F 38 CA /r | cpuid=SHA alignedintel
            SHA256RNDS2 Vdq,Wdq,XMM0 | NP 0F 38 CB /r | cpuid=SHA alignedintel
            SHA256MSG1 Vdq,Wdq | NP 0F 38 CC /r | cpuid=SHA alignedintel
            SHA256MSG2 Vdq,Wdq | NP 0F 38 CD /r | cpuid=SHA alignedintel
            SHA1RNDS4 Vdq,Wdq,Ib | NP 0F 3A CC /r | cpuid=SHA alignedintel
            EXTRQ Udq,Ib,Ib | 66 0F 78 /0 | cpuid=SSE4A
            EXTRQ Vdq,Udq | 66 0F 79 /r | cpuid=SSE4A
            INSERTQ Vdq,Udq,Ib,Ib | F2 0F 78 /r | cpuid=SSE4A
            INSERTQ Vdq,Udq | F2 0F 79 /r | cpuid=SSE4A
            MOVNTSS Md,Vdq | F3 0F 2B /r | cpuid=SSE4A
            MOVNTSD Mq,Vdq | F2 0F 2B /r | cpuid=SSE4A
            VZEROUPPER | VEX.L0.0F 77 | cpuid=AVX sse
            VZEROALL | VEX.L1.0F 77 | cpuid=AVX sse
            VBROADCASTSS Vdq,Md | VEX.L0.66.0F38.W0 18 /r | cpuid=AVX
            VBROADCASTSS Vqq,Md | VEX.L1.66.0F38.W0 18 /r | cpuid=AVX
            VBROADCASTSS Vdq,Udq | VEX.L0.66.0F38.W0 18 /r | cpuid=AVX2
            VBROADCASTSS Vqq,Udq | VEX.L1.66.0F38.W0 18 /r | cpuid=AVX2
            VBROADCASTSD Vqq,Mq | VEX.L1.66.0F38.W0 19 /r | cpuid=AVX
            VBROADCASTSD Vqq,Udq | VEX.L1.66.0F38.W0 19 /r | cpuid=AVX2
            VBROADCASTF128 Vqq,Mdq | VEX.L1.66.0F38.W0 1A /r | cpuid=AVX
            VBROADCASTI128 Vqq,Mdq | VEX.L1.66.0F38.W0 5A /r | cpuid=AVX2
            VPBROADCASTB Vdq,Wdq/b | VEX.L0.66.0F38.W0 78 /r | cpuid=AVX2
            VPBROADCASTB Vqq,Wdq/b | VEX.L1.66.0F38.W0 78 /r | cpuid=AVX2
            VPBROADCASTW Vdq,Wdq/w | VEX.L0.66.0F38.W0 79 /r | cpuid=AVX2
            VPBROADCASTW Vqq,Wdq/w | VEX.L1.66.0F38.W0 79 /r | cpuid=AVX2
            VPBROADCASTD Vdq,Wdq/d | VEX.L0.66.0F38.W0 58 /r | cpuid=AVX2
            VPBROADCASTD Vqq,Wdq/d | VEX.L1.66.0F38.W0 58 /r | cpuid=AVX2
            VPBROADCASTQ Vdq,Wdq/q | VEX.L0.66.0F38.W0 59 /r | cpuid=AVX2
            VPBROADCASTQ Vqq,Wdq/q | VEX.L1.66.0F38.W0 59 /r | cpuid=AVX2
            VMASKMOVPS Vdq,Hdq,Mdq | VEX.L0.66.0F38.W0 2C /r | cpuid=AVX
            VMASKMOVPS Vqq,Hqq,Mqq | VEX.L1.66.0F38.W0 2C /r | cpuid=AVX
            VMASKMOVPD Vdq,Hdq,Mdq | VEX.L0.66.0F38.W0 2D /r | cpuid=AVX
            VMASKMOVPD Vqq,Hqq,Mqq | VEX.L1.66.0F38.W0 2D /r | cpuid=AVX
            VMASKMOVPS Mdq,Hdq,Vdq | VEX.L0.66.0F38.W0 2E /r | cpuid=AVX
            VMASKMOVPS Mqq,Hqq,Vqq | VEX.L1.66.0F38.W0 2E /r | cpuid=AVX
            VMASKMOVPD Mdq,Hdq,Vdq | VEX.L0.66.0F38.W0 2F /r | cpuid=AVX
            VMASKMOVPD Mqq,Hqq,Vqq | VEX.L1.66.0F38.W0 2F /r | cpuid=AVX
            VPMASKMOVD Vdq,Hdq,Mdq | VEX.L0.66.0F38.W0 8C /r | cpuid=AVX2
            VPMASKMOVD Vqq,Hqq,Mqq | VEX.L1.66.0F38.W0 8C /r | cpuid=AVX2
            VPMASKMOVQ Vdq,Hdq,Mdq | VEX.L0.66.0F38.W1 8C /r | cpuid=AVX2
            VPMASKMOVQ Vqq,Hqq,Mqq | VEX.L1.66.0F38.W1 8C /r | cpuid=AVX2
            VPMASKMOVD Mdq,Hdq,Vdq | VEX.L0.66.0F38.W0 8E /r | cpuid=AVX2
            VPMASKMOVD Mqq,Hqq,Vqq | VEX.L1.66.0F38.W0 8E /r | cpuid=AVX2
            VPMASKMOVQ Mdq,Hdq,Vdq | VEX.L0.66.0F38.W1 8E /r | cpuid=AVX2
            VPMASKMOVQ Mqq,Hqq,Vqq | VEX.L1.66.0F38.W1 8E /r | cpuid=AVX2
            VPERMILPS Vdq,Hdq,Wdq | VEX.L0.66.0F38.W0 0C /r | cpuid=AVX
            VPERMILPS Vqq,Hqq,Wqq | VEX.L1.66.0F38.W0 0C /r | cpuid=AVX
            VPERMILPD Vdq,Hdq,Wdq | VEX.L0.66.0F38.W0 0D /r | cpuid=AVX
            VPERMILPD Vqq,Hqq,Wqq | VEX.L1.66.0F38.W0 0D /r | cpuid=AVX
            VPERMILPS Vdq,Wdq,Ib | VEX.L0.66.0F3A.W0 04 /r | cpuid=AVX
            VPERMILPS Vqq,Wqq,Ib | VEX.L1.66.0F3A.W0 04 /r | cpuid=AVX
            VPERMILPD Vdq,Wdq,Ib | VEX.L0.66.0F3A.W0 05 /r | cpuid=AVX
            VPERMILPD Vqq,Wqq,Ib | VEX.L1.66.0F3A.W0 05 /r | cpuid=AVX
            VPERM2F128 Vqq,Hqq,Wqq,Ib | VEX.L1.66.0F3A.W0 06 /r | cpuid=AVX
            VPERM2I128 Vqq,Hqq,Wqq,Ib | VEX.L1.66.0F3A.W0 46 /r | cpuid=AVX2
            VINSERTF128 Vqq,Hqq,Wdq,Ib | VEX.L1.66.0F3A.W0 18 /r | cpuid=AVX
            VINSERTI128 Vqq,Hqq,Wdq,Ib | VEX.L1.66.0F3A.W0 38 /r | cpuid=AVX2
            VEXTRACTF128 Wdq,Vqq,Ib | VEX.L1.66.0F3A.W0 19 /r | cpuid=AVX
            VEXTRACTI128 Wdq,Vqq,Ib | VEX.L1.66.0F3A.W0 39 /r | cpuid=AVX2
            VPERMD Vqq,Hqq,Wqq | VEX.L1.66.0F38.W0 36 /r | cpuid=AVX2
            VPERMPS Vqq,Hqq,Wqq | VEX.L1.66.0F38.W0 16 /r | cpuid=AVX2
            VPERMQ Vqq,Wqq,Ib | VEX.L1.66.0F3A.W1 00 /r | cpuid=AVX2
            VPERMPD Vqq,Wqq,Ib | VEX.L1.66.0F3A.W1 01 /r | cpuid=AVX2
            VPBLENDD Vdq,Hdq,Wdq,Ib | VEX.L0.66.0F3A.W0 02 /r | cpuid=AVX2
            VPBLENDD Vqq,Hqq,Wqq,Ib | VEX.L1.66.0F3A.W0 02 /r | cpuid=AVX2
            VPSRLVD Vdq,Hdq,Wdq | VEX.L0.66.0F38.W0 45 /r | cpuid=AVX2
            VPSRLVD Vqq,Hqq,Wqq | VEX.L1.66.0F38.W0 45 /r | cpuid=AVX2
            VPSRLVQ Vdq,Hdq,Wdq | VEX.L0.66.0F38.W1 45 /r | cpuid=AVX2
            VPSRLVQ Vqq,Hqq,Wqq | VEX.L1.66.0F38.W1 45 /r | cpuid=AVX2
            VPSRAVD Vdq,Hdq,Wdq | VEX.L0.66.0F38.W0 46 /r | cpuid=AVX2
            VPSRAVD Vqq,Hqq,Wqq | VEX.L1.66.0F38.W0 46 /r | cpuid=AVX2
            VPSLLVD Vdq,Hdq,Wdq | VEX.L0.66.0F38.W0 47 /r | cpuid=AVX2
            VPSLLVD Vqq,Hqq,Wqq | VEX.L1.66.0F38.W0 47 /r | cpuid=AVX2
            VPSLLVQ Vdq,Hdq,Wdq | VEX.L0.66.0F38.W1 47 /r | cpuid=AVX2
            VPSLLVQ Vqq,Hqq,Wqq | VEX.L1.66.0F38.W1 47 /r | cpuid=AVX2
            VCVTPH2PS Vdq,Wdq/q | VEX.L0.66.0F38.W0 13 /r | cpuid=F16C
            VCVTPH2PS Vqq,Wdq | VEX.L1.66.0F38.W0 13 /r | cpuid=F16C
            VCVTPS2PH Wdq/q,Vdq,Ib | VEX.L0.66.0F3A.W0 1D /r | cpuid=F16C
            VCVTPS2PH Wdq,Vqq,Ib | VEX.L1.66.0F3A.W0 1D /r | cpuid=F16C
            GF2P8MULB Vdq,Wdq | 66 0F 38 CF /r | cpuid=GFNI aligned
            VGF2P8MULB Vdq,Hdq,Wdq | VEX.L0.66.0F38.W0 CF /r | cpuid=GFNI
            VGF2P8MULB Vqq,Hqq,Wqq | VEX.L1.66.0F38.W0 CF /r | cpuid=GFNI
            GF2P8AFFINEQB Vdq,Wdq,Ib | 66 0F 3A CE /r | cpuid=GFNI aligned
            VGF2P8AFFINEQB Vdq,Hdq,Wdq,Ib | VEX.L0.66.0F3A.W1 CE /r | cpuid=GFNI
            VGF2P8AFFINEQB Vqq,Hqq,Wqq,Ib | VEX.L1.66.0F3A.W1 CE /r | cpuid=GFNI
            GF2P8AFFINEINVQB Vdq,Wdq,Ib | 66 0F 3A CF /r | cpuid=GFNI aligned
            VGF2P8AFFINEINVQB Vdq,Hdq,Wdq,Ib | VEX.L0.66.0F3A.W1 CF /r | cpuid=GFNI
            VGF2P8AFFINEINVQB Vqq,Hqq,Wqq,Ib | VEX.L1.66.0F3A.W1 CF /r | cpuid=GFNI
            VPDPBUSD Vdq,Hdq,Wdq | VEX.L0.66.0F38.W0 50 /r | cpuid=AVX_VNNI
            VPDPBUSD Vqq,Hqq,Wqq | VEX.L1.66.0F38.W0 50 /r | cpuid=AVX_VNNI
            VPDPBUSDS Vdq,Hdq,Wdq | VEX.L0.66.0F38.W0 51 /r | cpuid=AVX_VNNI
            VPDPBUSDS Vqq,Hqq,Wqq | VEX.L1.66.0F38.W0 51 /r | cpuid=AVX_VNNI
            VPDPWSSD Vdq,Hdq,Wdq | VEX.L0.66.0F38.W0 52 /r | cpuid=AVX_VNNI
            VPDPWSSD Vqq,Hqq,Wqq | VEX.L1.66.0F38.W0 52 /r | cpuid=AVX_VNNI
            VPDPWSSDS Vdq,Hdq,Wdq | VEX.L0.66.0F38.W0 53 /r | cpuid=AVX_VNNI
            VPDPWSSDS Vqq,Hqq,Wqq | VEX.L1.66.0F38.W0 53 /r | cpuid=AVX_VNNI
            VPGATHERDD Vdq,Xdq/d,Hdq | VEX.L0.66.0F38.W0 90 /r | cpuid=AVX2
            VPGATHERDD Vqq,Xqq/d,Hqq | VEX.L1.66.0F38.W0 90 /r | cpuid=AVX2
            VPGATHERDQ Vdq,Xdq/q,Hdq | VEX.L0.66.0F38.W1 90 /r | cpuid=AVX2
            VPGATHERDQ Vqq,Xdq/q,Hqq | VEX.L1.66.0F38.W1 90 /r | cpuid=AVX2
            VPGATHERQD Vdq,Xdq/d,Hdq | VEX.L0.66.0F38.W0 91 /r | cpuid=AVX2
            VPGATHERQD Vdq,Xqq/d,Hdq | VEX.L1.66.0F38.W0 91 /r | cpuid=AVX2
            VPGATHERQQ Vdq,Xdq/q,Hdq | VEX.L0.66.0F38.W1 91 /r | cpuid=AVX2
            VPGATHERQQ Vqq,Xqq/q,Hqq | VEX.L1.66.0F38.W1 91 /r | cpuid=AVX2
            VGATHERDPS Vdq,Xdq/d,Hdq | VEX.L0.66.0F38.W0 92 /r | cpuid=AVX2
            VGATHERDPS Vqq,Xqq/d,Hqq | VEX.L1.66.0F38.W0 92 /r | cpuid=AVX2
            VGATHERDPD Vdq,Xdq/q,Hdq | VEX.L0.66.0F38.W1 92 /r | cpuid=AVX2
            VGATHERDPD Vqq,Xdq/q,Hqq | VEX.L1.66.0F38.W1 92 /r | cpuid=AVX2
            VGATHERQPS Vdq,Xdq/d,Hdq | VEX.L0.66.0F38.W0 93 /r | cpuid=AVX2
            VGATHERQPS Vdq,Xqq/d,Hdq | VEX.L1.66.0F38.W0 93 /r | cpuid=AVX2
            VGATHERQPD Vdq,Xdq/q,Hdq | VEX.L0.66.0F38.W1 93 /r | cpuid=AVX2
            VGATHERQPD Vqq,Xqq/q,Hqq | VEX.L1.66.0F38.W1 93 /r | cpuid=AVX2
            """;

    /** VFMADD and its relatives; the opcode's high digit tells the order of the operands, 132, 213 or 231. */
    private static final String[] MULTIPLY_ADD = {
        "",
        "",
        "",
        "",
        "",
        "",
        "FMADDSUB",
        "FMSUBADD",
        "FMADD",
        "FMADD",
        "FMSUB",
        "FMSUB",
        "FNMADD",
        "FNMADD",
        "FNMSUB",
        "FNMSUB"
    };

    private static final String[] ORDERS = {"132", "213", "231"};

    /** All rows as lines. */
    static String text() {
        var rows = new ArrayList<String>();
        for (Family family : FAMILIES) {
            family.lines().lines().forEach(line -> expand(family, line, rows));
        }
        for (int order = 0; order < 3; order++) {
            for (int low = 6; low < 16; low++) {
                multiplyAdd(low, order, rows);
            }
        }
        return String.join("\n", rows) + "\n" + TEXT;
    }

    private static void expand(Family family, String line, List<String> rows) {
        int space = line.indexOf(' ');
        String mnemonic = line.substring(0, space);
        String prefix = line.substring(space + 1, space + 3);
        String rest = line.substring(space + 4);
        int end = rest.indexOf(' ');
        String map = rest.substring(0, end);
        String opcode = rest.substring(end + 1) + (rest.indexOf('/') < 0 ? " /r" : "");
        Shape shape = family.shape();
        String legacyMap = map.length() == 2 ? map : "0F " + map.substring(2);
        rows.add(row(mnemonic, shape.legacy, prefix + " " + legacyMap + " " + opcode, family.legacy()));
        String vexPrefix = prefix.equals("NP") ? "." : "." + prefix + ".";
        String narrow = (shape.scalar() ? "VEX" : "VEX.L0") + vexPrefix + map + " " + opcode;
        rows.add(row("V" + mnemonic, shape.narrow, narrow, family.narrow()));
        if (!shape.scalar()) {
            rows.add(row("V" + mnemonic, shape.wide, "VEX.L1" + vexPrefix + map + " " + opcode, family.wide()));
        }
    }

    private static String row(String mnemonic, String operands, String encoding, String feature) {
        boolean aligned = operands.endsWith("*");
        String specs = aligned ? operands.substring(0, operands.length() - 1) : operands;
        return mnemonic + " " + specs + " | " + encoding + " | cpuid=" + feature + (aligned ? " aligned" : "");
    }

    private static void multiplyAdd(int low, int order, List<String> rows) {
        boolean scalar = low > 8 && (low & 1) != 0;
        String opcode = HexFormat.of().withUpperCase().toHexDigits((byte) (0x90 + 0x10 * order + low));
        for (int w = 0; w < 2; w++) {
            String name = "V" + MULTIPLY_ADD[low] + "@" + (scalar ? "S" : "P") + (w == 0 ? "S" : "D");
            String mnemonic = name.replace("@", ORDERS[order]);
            String tail = ".66.0F38.W" + w + " " + opcode + " /r";
            if (scalar) {
                rows.add(row(mnemonic, w == 0 ? Shape.SINGLE.narrow : Shape.DOUBLE.narrow, "VEX" + tail, "FMA"));
            } else {
                rows.add(row(mnemonic, Shape.THREE.narrow, "VEX.L0" + tail, "FMA"));
                rows.add(row(mnemonic, Shape.THREE.wide, "VEX.L1" + tail, "FMA"));
            }
        }
    }
}
