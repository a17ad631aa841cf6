package kvasir.metal.cpu.isa;

/** Rows of the instructions on MMX registers. The columns are explained at {@link Encoding}. */
final class MmxRows {
    private MmxRows() {}

    /** Two operands, the first also the destination: mnemonic, opcode (in the map 0F if it is one byte), feature. */
    private static final String BINARY = """
            PACKSSWB 63 MMX
            PCMPGTB 64 MMX
            PCMPGTW 65 MMX
            PCMPGTD 66 MMX
            PACKUSWB 67 MMX
            PUNPCKHBW 68 MMX
            PUNPCKHWD 69 MMX
            PUNPCKHDQ 6A MMX
            PACKSSDW 6B MMX
            PCMPEQB 74 MMX
            PCMPEQW 75 MMX
            PCMPEQD 76 MMX
            PSRLW D1 MMX
            PSRLD D2 MMX
            PSRLQ D3 MMX
            PADDQ D4 SSE2
            PMULLW D5 MMX
            PSUBUSB D8 MMX
            PSUBUSW D9 MMX
            PMINUB DA SSE
            PAND DB MMX
            PADDUSB DC MMX
            PADDUSW DD MMX
            PMAXUB DE SSE
            PANDN DF MMX
            PAVGB E0 SSE
            PSRAW E1 MMX
            PSRAD E2 MMX
            PAVGW E3 SSE
            PMULHUW E4 SSE
            PMULHW E5 MMX
            PSUBSB E8 MMX
            PSUBSW E9 MMX
            PMINSW EA SSE
            POR EB MMX
            PADDSB EC MMX
            PADDSW ED MMX
            PMAXSW EE SSE
            PXOR EF MMX
            PSLLW F1 MMX
            PSLLD F2 MMX
            PSLLQ F3 MMX
            PMULUDQ F4 SSE2
            PMADDWD F5 MMX
            PSADBW F6 SSE
            PSUBB F8 MMX
            PSUBW F9 MMX
            PSUBD FA MMX
            PSUBQ FB SSE2
            PADDB FC MMX
            PADDW FD MMX
            PADDD FE MMX
            PSHUFB 38_00 SSSE3
            PHADDW 38_01 SSSE3
            PHADDD 38_02 SSSE3
            PHADDSW 38_03 SSSE3
            PMADDUBSW 38_04 SSSE3
            PHSUBW 38_05 SSSE3
            PHSUBD 38_06 SSSE3
            PHSUBSW 38_07 SSSE3
            PSIGNB 38_08 SSSE3
            PSIGNW 38_09 SSSE3
            PSIGND 38_0A SSSE3
            PMULHRSW 38_0B SSSE3
            PABSB 38_1C SSSE3
            PABSW 38_1D SSSE3
            PABSD 38_1E SSSE3
            """;

    private static final String OTHERS = """
            PUNPCKLBW Pq,Qq/d | NP 0F 60 /r | cpuid=MMX
            PUNPCKLWD Pq,Qq/d | NP 0F 61 /r | cpuid=MMX
            PUNPCKLDQ Pq,Qq/d | NP 0F 62 /r | cpuid=MMX
            MOVQ Pq,Eq | NP 0F 6E /r | cpuid=MMX o64 undoc
            MOVD Pq,Ed | NP 0F 6E /r | cpuid=MMX
            MOVQ Pq,Qq | NP 0F 6F /r | cpuid=MMX
            PSHUFW Pq,Qq,Ib | NP 0F 70 /r | cpuid=SSE
            PSRLW Nq,Ib | NP 0F 71 /2 | cpuid=MMX
            PSRAW Nq,Ib | NP 0F 71 /4 | cpuid=MMX
            PSLLW Nq,Ib | NP 0F 71 /6 | cpuid=MMX
            PSRLD Nq,Ib | NP 0F 72 /2 | cpuid=MMX
            PSRAD Nq,Ib | NP 0F 72 /4 | cpuid=MMX
            PSLLD Nq,Ib | NP 0F 72 /6 | cpuid=MMX
            PSRLQ Nq,Ib | NP 0F 73 /2 | cpuid=MMX
            PSLLQ Nq,Ib | NP 0F 73 /6 | cpuid=MMX
            EMMS | NP 0F 77 | cpuid=MMX
            MOVQ Eq,Pq | NP 0F 7E /r | cpuid=MMX o64 undoc
            MOVD Ed,Pq | NP 0F 7E /r | cpuid=MMX
            MOVQ Qq,Pq | NP 0F 7F /r | cpuid=MMX
            PINSRW Pq,Ed/w,Ib | NP 0F C4 /r | cpuid=SSE
            PEXTRW Gd,Nq,Ib | NP 0F C5 /r | cpuid=SSE
            PMOVMSKB Gd,Nq | NP 0F D7 /r | cpuid=SSE
            MOVNTQ Mq,Pq | NP 0F E7 /r | cpuid=SSE
            MASKMOVQ Pq,Nq | NP 0F F7 /r | cpuid=SSE
            PALIGNR Pq,Qq,Ib | NP 0F 3A 0F /r | cpuid=SSSE3
            MOVQ2DQ Vdq,Nq | F3 0F D6 /r | cpuid=SSE2
            MOVDQ2Q Pq,Udq | F2 0F D6 /r | cpuid=SSE2
            CVTPI2PS Vdq,Qq | NP 0F 2A /r | cpuid=SSE
            CVTTPS2PI Pq,Wdq/q | NP 0F 2C /r | cpuid=SSE
            CVTPS2PI Pq,Wdq/q | NP 0F 2D /r | cpuid=SSE
            CVTPI2PD Vdq,Qq | 66 0F 2A /r | cpuid=SSE2
            CVTTPD2PI Pq,Wdq | 66 0F 2C /r | cpuid=SSE2 aligned
            CVTPD2PI Pq,Wdq | 66 0F 2D /r | cpuid=SSE2 aligned
            """;

    static String text() {
        var text = new StringBuilder();
        BINARY.lines().forEach(line -> {
            String[] words = line.split(" ", -1);
            text.append(words[0] + " Pq,Qq | NP 0F " + words[1].replace('_', ' ') + " /r | cpuid=" + words[2] + "\n");
        });
        return text + OTHERS;
    }
}
