package kvasir.metal.cpu.isa;

/** Rows of the general-purpose instructions that user mode may execute. The columns are explained at {@link Encoding}. */
final class GeneralRows {
    private GeneralRows() {}

    /** The eight arithmetic operations; {@code @} is the operation, {@code #n} its number, {@code #0} to {@code #5} opcodes. */
    static final String ARITHMETIC = """
            @ Eb,Gb | #0 /r | #lock | #f
            @ Ev,Gv | #1 /r | #lock | #f
            @ Gb,Eb | #2 /r | | #f
            @ Gv,Ev | #3 /r | | #f
            @ AL,Ib | #4 | | #f
            @ Ev,Is | 83 /#n | #lock | #f
            @ rAX,Iz | #5 | | #f
            @ Eb,Ib | 80 /#n | #lock | #f
            @ Eb,Ib | 82 /#n | #lock i64 undoc | #f
            @ Ev,Iz | 81 /#n | #lock | #f
            """;

    /** Shifts and rotates; {@code @} is the operation, {@code #n} its number, {@code #1} the flags of a shift by one. */
    static final String SHIFTS = """
            @ Eb,1 | D0 /#n | | #1
            @ Ev,1 | D1 /#n | | #1
            @ Eb,Ib | C0 /#n | | #f
            @ Ev,Ib | C1 /#n | | #f
            @ Eb,CL | D2 /#n | | #f
            @ Ev,CL | D3 /#n | | #f
            """;

    /** The processor does not look at the low bits of ModRM; {@code #} is 1 to 7 of them. */
    static final String FENCES = """
            LFENCE | NP 0F AE =E#l | undoc
            MFENCE | NP 0F AE =F#h | undoc
            SFENCE | NP 0F AE =F#l | undoc
            """;

    static final String TEXT = """
            TEST Eb,Gb | 84 /r | | 0SZ?P0
            TEST Ev,Gv | 85 /r | | 0SZ?P0
            TEST Gb,Eb | 84 /r | | 0SZ?P0
            TEST Gv,Ev | 85 /r | | 0SZ?P0
            TEST AL,Ib | A8 | | 0SZ?P0
            TEST rAX,Iz | A9 | | 0SZ?P0
            TEST Eb,Ib | F6 /0 | | 0SZ?P0
            TEST Ev,Iz | F7 /0 | | 0SZ?P0
            TEST Eb,Ib | F6 /1 | undoc | 0SZ?P0
            TEST Ev,Iz | F7 /1 | undoc | 0SZ?P0
            NOT Eb | F6 /2 | lock
            NOT Ev | F7 /2 | lock
            NEG Eb | F6 /3 | lock | OSZAPC
            NEG Ev | F7 /3 | lock | OSZAPC
            MUL Eb | F6 /4 | | O????C
            MUL Ev | F7 /4 | | O????C
            IMUL Eb | F6 /5 | | O????C
            IMUL Ev | F7 /5 | | O????C
            DIV Eb | F6 /6 | | ??????
            DIV Ev | F7 /6 | | ??????
            IDIV Eb | F6 /7 | | ??????
            IDIV Ev | F7 /7 | | ??????
            IMUL Gv,Ev | 0F AF /r | | O????C
            IMUL Gv,Ev,Is | 6B /r | | O????C
            IMUL Gv,Ev,Iz | 69 /r | | O????C
            INC Zv | 40+r | i64 | OSZAP-
            DEC Zv | 48+r | i64 | OSZAP-
            INC Eb | FE /0 | lock | OSZAP-
            INC Ev | FF /0 | lock | OSZAP-
            DEC Eb | FE /1 | lock | OSZAP-
            DEC Ev | FF /1 | lock | OSZAP-
            DAA | 27 | i64 | ?SZAPC
            DAS | 2F | i64 | ?SZAPC
            AAA | 37 | i64 | ???A?C
            AAS | 3F | i64 | ???A?C
            AAM Ib | D4 | i64 | ?SZ?P?
            AAD Ib | D5 | i64 | ?SZ?P?
            SALC | D6 | i64 undoc
            MOV Eb,Gb | 88 /r
            MOV Ev,Gv | 89 /r
            MOV Gb,Eb | 8A /r
            MOV Gv,Ev | 8B /r
            MOV Ev/w,Sw | 8C /r
            MOV Sw,Ew | 8E /r
            MOV AL,Ob | A0
            MOV rAX,Ov | A1
            MOV Ob,AL | A2
            MOV Ov,rAX | A3
            MOV Zb,Ib | B0+r
            MOV Zv,Iv | B8+r
            MOV Eb,Ib | C6 /0
            MOV Ev,Iz | C7 /0
            MOVZX Gv,Eb | 0F B6 /r
            MOVZX Gv,Ew | 0F B7 /r
            MOVSX Gv,Eb | 0F BE /r
            MOVSX Gv,Ew | 0F BF /r
            MOVSXD Gv,Ed | 63 /r | x64
            LEA Gv,Ma | 8D /r
            PAUSE | F3 90 | nob
            NOP | 90 | nob
            XCHG Zv,rAX | 90+r
            XCHG rAX,Zv | 90+r
            XCHG Eb,Gb | 86 /r | lock
            XCHG Ev,Gv | 87 /r | lock
            XCHG Gb,Eb | 86 /r
            XCHG Gv,Ev | 87 /r
            NOP Ev | 0F 1F /r
            ENDBR64 | F3 0F 1E =FA
            ENDBR32 | F3 0F 1E =FB
            PREFETCHNTA Mb | 0F 18 /0
            PREFETCHT0 Mb | 0F 18 /1
            PREFETCHT1 Mb | 0F 18 /2
            PREFETCHT2 Mb | 0F 18 /3
            NOP Ev | 0F 18 /r | undoc
            NOP Ev | 0F 19 /r | undoc
            NOP Ev | 0F 1A /r | undoc
            NOP Ev | 0F 1B /r | undoc
            NOP Ev | 0F 1C /r | undoc
            NOP Ev | 0F 1D /r | undoc
            NOP Ev | 0F 1E /r | undoc
            PREFETCH Mb | 0F 0D /0
            PREFETCHW Mb | 0F 0D /1
            NOP Mb | 0F 0D /r | undoc
            CBW | 98 | o16
            CWDE | 98 | o32
            CDQE | 98 | o64
            CWD | 99 | o16
            CDQ | 99 | o32
            CQO | 99 | o64
            XLATB | D7
            BSWAP Zv | 0F C8+r
            MOVBE Gv,Mv | NP 0F 38 F0 /r | cpuid=MOVBE
            MOVBE Mv,Gv | NP 0F 38 F1 /r | cpuid=MOVBE
            MOVBE Gv,Mv | 66 0F 38 F0 /r | cpuid=MOVBE o66
            MOVBE Mv,Gv | 66 0F 38 F1 /r | cpuid=MOVBE o66
            MOVNTI My,Gy | NP 0F C3 /r
            CMOVcc Gv,Ev | 0F 40+c /r | cpuid=CMOV
            SETcc Eb | 0F 90+c /r
            CMPXCHG Eb,Gb | 0F B0 /r | lock | OSZAPC
            CMPXCHG Ev,Gv | 0F B1 /r | lock | OSZAPC
            CMPXCHG16B Mdq | 0F C7 /1 | lock o64 cpuid=CX16 | --Z---
            CMPXCHG8B Mq | 0F C7 /1 | lock cpuid=CX8 | --Z---
            XADD Eb,Gb | 0F C0 /r | lock | OSZAPC
            XADD Ev,Gv | 0F C1 /r | lock | OSZAPC
            SHLD Ev,Gv,Ib | 0F A4 /r | | ?SZ?PC
            SHLD Ev,Gv,CL | 0F A5 /r | | ?SZ?PC
            SHRD Ev,Gv,Ib | 0F AC /r | | ?SZ?PC
            SHRD Ev,Gv,CL | 0F AD /r | | ?SZ?PC
            BT Ev,Gv | 0F A3 /r | | ??-??C
            BTS Ev,Gv | 0F AB /r | lock | ??-??C
            BTR Ev,Gv | 0F B3 /r | lock | ??-??C
            BTC Ev,Gv | 0F BB /r | lock | ??-??C
            BT Ev,Ib | 0F BA /4 | | ??-??C
            BTS Ev,Ib | 0F BA /5 | lock | ??-??C
            BTR Ev,Ib | 0F BA /6 | lock | ??-??C
            BTC Ev,Ib | 0F BA /7 | lock | ??-??C
            TZCNT Gv,Ev | F3 0F BC /r | cpuid=BMI1 | ??Z??C
            LZCNT Gv,Ev | F3 0F BD /r | cpuid=LZCNT | ??Z??C
            BSF Gv,Ev | 0F BC /r | | ??Z???
            BSR Gv,Ev | 0F BD /r | | ??Z???
            POPCNT Gv,Ev | F3 0F B8 /r | cpuid=POPCNT | 00Z000
            CRC32 Gy,Eb | F2 0F 38 F0 /r | cpuid=SSE4_2
            CRC32 Gy,Ev | F2 0F 38 F1 /r | cpuid=SSE4_2
            ADCX Gy,Ey | 66 0F 38 F6 /r | cpuid=ADX | -----C
            ADOX Gy,Ey | F3 0F 38 F6 /r | cpuid=ADX | O-----
            ANDN Gy,By,Ey | VEX.L0.0F38 F2 /r | cpuid=BMI1 | 0SZ??0
            BLSR By,Ey | VEX.L0.0F38 F3 /1 | cpuid=BMI1 | 0SZ??C
            BLSMSK By,Ey | VEX.L0.0F38 F3 /2 | cpuid=BMI1 | 0S0??C
            BLSI By,Ey | VEX.L0.0F38 F3 /3 | cpuid=BMI1 | 0SZ??C
            BEXTR Gy,Ey,By | VEX.L0.0F38 F7 /r | cpuid=BMI1 | 0?Z??0
            BZHI Gy,Ey,By | VEX.L0.0F38 F5 /r | cpuid=BMI2 | 0SZ??C
            PEXT Gy,By,Ey | VEX.L0.F3.0F38 F5 /r | cpuid=BMI2
            PDEP Gy,By,Ey | VEX.L0.F2.0F38 F5 /r | cpuid=BMI2
            MULX Gy,By,Ey | VEX.L0.F2.0F38 F6 /r | cpuid=BMI2
            SHLX Gy,Ey,By | VEX.L0.66.0F38 F7 /r | cpuid=BMI2
            SARX Gy,Ey,By | VEX.L0.F3.0F38 F7 /r | cpuid=BMI2
            SHRX Gy,Ey,By | VEX.L0.F2.0F38 F7 /r | cpuid=BMI2
            RORX Gy,Ey,Ib | VEX.L0.F2.0F3A F0 /r | cpuid=BMI2
            PUSH ES | 06 | i64
            PUSH CS | 0E | i64
            PUSH SS | 16 | i64
            PUSH DS | 1E | i64
            PUSH FS | 0F A0 | d64
            PUSH GS | 0F A8 | d64
            POP ES | 07 | i64
            POP SS | 17 | i64
            POP DS | 1F | i64
            POP FS | 0F A1 | d64
            POP GS | 0F A9 | d64
            PUSH Zv | 50+r | d64
            POP Zv | 58+r | d64
            PUSH Is | 6A | d64
            PUSH Iz | 68 | d64
            PUSH Ev | FF /6 | d64
            POP Ev | 8F /0 | d64
            PUSHAW | 60 | i64 o16
            PUSHAD | 60 | i64 o32
            POPAW | 61 | i64 o16
            POPAD | 61 | i64 o32
            PUSHFW | 9C | o16 d64
            PUSHFD | 9C | o32 i64
            PUSHFQ | 9C | o64 d64
            POPFW | 9D | o16 d64 | OSZAPC
            POPFD | 9D | o32 i64 | OSZAPC
            POPFQ | 9D | o64 d64 | OSZAPC
            ENTER Iw,Ib | C8 | d64
            LEAVE | C9 | d64
            SAHF | 9E | | -SZAPC
            LAHF | 9F
            CMC | F5 | | -----C
            CLC | F8 | | -----0
            STC | F9 | | -----1
            CLI | FA
            STI | FB
            CLD | FC
            STD | FD
            BOUND Gv,Ma | 62 /r | i64
            Jcc Jb | 70+c | f64
            Jcc Jz | 0F 80+c | f64
            JMP Jb | EB | f64
            JMP Jz | E9 | f64
            JMP Ev | FF /4 | f64
            JMPF Ap | EA | i64
            JMPF Mp | FF /5
            CALL Jz | E8 | f64
            CALL Ev | FF /2 | f64
            CALLF Ap | 9A | i64
            CALLF Mp | FF /3
            RET | C3 | f64
            RET Iw | C2 | f64
            RETF | CB
            RETF Iw | CA
            LOOPNE Jb | E0 | f64
            LOOPE Jb | E1 | f64
            LOOP Jb | E2 | f64
            JCXZ Jb | E3 | a16 f64
            JECXZ Jb | E3 | a32 f64
            JRCXZ Jb | E3 | a64 f64
            INT3 | CC
            INT Ib | CD
            INTO | CE | i64
            INT1 | F1
            IRETW | CF | o16 | OSZAPC
            IRETD | CF | o32 | OSZAPC
            IRETQ | CF | o64 | OSZAPC
            UD2 | 0F 0B
            UD1 Gv,Ev | 0F B9 /r
            UD0 Gv,Ev | 0F FF /r
            MOVSB | A4 | rep
            MOVSW | A5 | rep o16
            MOVSD | A5 | rep o32
            MOVSQ | A5 | rep o64
            CMPSB | A6 | rep | OSZAPC
            CMPSW | A7 | rep o16 | OSZAPC
            CMPSD | A7 | rep o32 | OSZAPC
            CMPSQ | A7 | rep o64 | OSZAPC
            STOSB | AA | rep
            STOSW | AB | rep o16
            STOSD | AB | rep o32
            STOSQ | AB | rep o64
            LODSB | AC | rep
            LODSW | AD | rep o16
            LODSD | AD | rep o32
            LODSQ | AD | rep o64
            SCASB | AE | rep | OSZAPC
            SCASW | AF | rep o16 | OSZAPC
            SCASD | AF | rep o32 | OSZAPC
            SCASQ | AF | rep o64 | OSZAPC
            LES Gv,Mp | C4 /r | i64
            LDS Gv,Mp | C5 /r | i64
            LSS Gv,Mp | 0F B2 /r
            LFS Gv,Mp | 0F B4 /r
            LGS Gv,Mp | 0F B5 /r
            CPUID | 0F A2
            RDTSC | 0F 31 | cpuid=TSC
            RDTSCP | 0F 01 =F9 | cpuid=RDTSCP
            RDPID Rn | F3 0F C7 /7 | cpuid=RDPID
            RDRAND Rv | NP 0F C7 /6 | cpuid=RDRAND | 00000C
            RDRAND Rv | 66 0F C7 /6 | cpuid=RDRAND o66 | 00000C
            RDSEED Rv | NP 0F C7 /7 | cpuid=RDSEED | 00000C
            RDSEED Rv | 66 0F C7 /7 | cpuid=RDSEED o66 | 00000C
            RDFSBASE Ry | F3 0F AE /0 | x64 cpuid=FSGSBASE
            RDGSBASE Ry | F3 0F AE /1 | x64 cpuid=FSGSBASE
            WRFSBASE Ry | F3 0F AE /2 | x64 cpuid=FSGSBASE
            WRGSBASE Ry | F3 0F AE /3 | x64 cpuid=FSGSBASE
            LFENCE | NP 0F AE =E8
            MFENCE | NP 0F AE =F0
            SFENCE | NP 0F AE =F8
            CLWB Mb | 66 0F AE /6 | cpuid=CLWB
            CLFLUSHOPT Mb | 66 0F AE /7 | cpuid=CLFLUSHOPT
            CLFLUSH Mb | NP 0F AE /7 | cpuid=CLFSH
            RDPKRU | NP 0F 01 =EE | cpuid=PKU
            WRPKRU | NP 0F 01 =EF | cpuid=PKU
            """;
}
