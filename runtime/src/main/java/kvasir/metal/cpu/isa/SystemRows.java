package kvasir.metal.cpu.isa;

/** Rows of the instructions that operating systems and hypervisors use. The columns are explained at {@link Encoding}. */
final class SystemRows {
    private SystemRows() {}

    static final String TEXT = """
            HLT | F4 | cpl0
            IN AL,Ib | E4
            IN eAX,Ib | E5
            IN AL,DX | EC
            IN eAX,DX | ED
            OUT Ib,AL | E6
            OUT Ib,eAX | E7
            OUT DX,AL | EE
            OUT DX,eAX | EF
            INSB | 6C | rep
            INSW | 6D | rep o16
            INSD | 6D | rep o32
            INSD | 6D | rep o64 undoc
            OUTSB | 6E | rep
            OUTSW | 6F | rep o16
            OUTSD | 6F | rep o32
            OUTSD | 6F | rep o64 undoc
            ARPL Ew,Gw | 63 /r | i64 pm | --Z---
            LAR Gv,Ew | 0F 02 /r | pm | --Z---
            LSL Gv,Ew | 0F 03 /r | pm | --Z---
            SLDT Ev/w | 0F 00 /0 | pm
            STR Ev/w | 0F 00 /1 | pm
            LLDT Ew | 0F 00 /2 | pm cpl0
            LTR Ew | 0F 00 /3 | pm cpl0
            VERR Ew | 0F 00 /4 | pm | --Z---
            VERW Ew | 0F 00 /5 | pm | --Z---
            SGDT Ma | 0F 01 /0
            SIDT Ma | 0F 01 /1
            LGDT Ma | 0F 01 /2 | cpl0
            LIDT Ma | 0F 01 /3 | cpl0
            SMSW Ev/w | 0F 01 /4
            LMSW Ew | 0F 01 /6 | cpl0
            INVLPG Ma | 0F 01 /7 | cpl0
            VMCALL | NP 0F 01 =C1
            TDCALL | 66 0F 01 =CC
            MONITOR | NP 0F 01 =C8
            MWAIT | NP 0F 01 =C9
            MONITORX | NP 0F 01 =FA | cpuid=MWAITX
            MWAITX | NP 0F 01 =FB | cpuid=MWAITX
            CLZERO | 0F 01 =FC | cpuid=CLZERO
            RDPRU | NP 0F 01 =FD | cpuid=RDPRU
            SERIALIZE | NP 0F 01 =E8 | cpuid=SERIALIZE
            MOVDIRI My,Gy | NP 0F 38 F9 /r | cpuid=MOVDIRI
            RDPMC | 0F 33
            CLAC | NP 0F 01 =CA | cpl0 cpuid=SMAP
            STAC | NP 0F 01 =CB | cpl0 cpuid=SMAP
            VMGEXIT | F3 0F 01 =D9
            VMGEXIT | F2 0F 01 =D9 | undoc
            VMMCALL | 0F 01 =D9
            PVALIDATE | F2 0F 01 =FF | | OSZAPC
            PSMASH | F3 0F 01 =FF | x64 | OSZAP-
            RMPUPDATE | F2 0F 01 =FE | x64 | OSZAP-
            RMPADJUST | F3 0F 01 =FE | x64 | OSZAP-
            RMPQUERY | F3 0F 01 =FD | x64 | OSZAP-
            RMPREAD | F2 0F 01 =FD | x64 | OSZAP-
            SWAPGS | 0F 01 =F8 | x64 cpl0
            INVPCID Gn,Mdq | 66 0F 38 82 /r | cpl0 cpuid=INVPCID
            SYSCALL | 0F 05 | cpuid=SYSCALL
            CLTS | 0F 06 | cpl0
            SYSRETD | 0F 07 | cpuid=SYSCALL o32
            SYSRETD | 0F 07 | cpuid=SYSCALL o16 undoc
            SYSRETQ | 0F 07 | cpuid=SYSCALL o64
            INVD | 0F 08 | cpl0
            WBNOINVD | F3 0F 09 | cpl0
            WBINVD | 0F 09 | cpl0
            MOV Rn,Cn | 0F 20 /r | cpl0
            MOV Rn,Dn | 0F 21 /r | cpl0
            MOV Cn,Rn | 0F 22 /r | cpl0
            MOV Dn,Rn | 0F 23 /r | cpl0
            WRMSR | 0F 30 | cpl0 cpuid=MSR
            RDMSR | 0F 32 | cpl0 cpuid=MSR
            RSM | 0F AA
            SYSENTER | 0F 34 | cpuid=SEP
            SYSEXITD | 0F 35 | cpl0 cpuid=SEP o32
            SYSEXITD | 0F 35 | cpl0 cpuid=SEP o16 undoc
            SYSEXITQ | 0F 35 | cpl0 cpuid=SEP o64
            """;
}
