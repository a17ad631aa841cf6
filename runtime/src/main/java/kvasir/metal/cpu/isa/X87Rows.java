package kvasir.metal.cpu.isa;

/** Rows of the x87 instructions, opcodes D8 to DF. The columns are explained at {@link Encoding}. */
final class X87Rows {
    private static final String[] ARITHMETIC = {"FADD", "FMUL", "FCOM", "FCOMP", "FSUB", "FSUBR", "FDIV", "FDIVR"};

    private X87Rows() {}

    static final String TEXT = arithmetic() + """
            FLD Md | D9 /0 | cpuid=FPU
            FST Md | D9 /2 | cpuid=FPU
            FSTP Md | D9 /3 | cpuid=FPU
            FLDENV Ma | D9 /4 | cpuid=FPU
            FLDCW Mw | D9 /5 | cpuid=FPU
            FNSTENV Ma | D9 /6 | cpuid=FPU
            FNSTCW Mw | D9 /7 | cpuid=FPU
            FLD Tt | D9 /0 | cpuid=FPU
            FXCH Tt | D9 /1 | cpuid=FPU
            FNOP | D9 =D0 | cpuid=FPU
            FSTPNCE Tt | D9 /3 | cpuid=FPU undoc
            FCHS | D9 =E0 | cpuid=FPU
            FABS | D9 =E1 | cpuid=FPU
            FTST | D9 =E4 | cpuid=FPU
            FXAM | D9 =E5 | cpuid=FPU
            FLD1 | D9 =E8 | cpuid=FPU
            FLDL2T | D9 =E9 | cpuid=FPU
            FLDL2E | D9 =EA | cpuid=FPU
            FLDPI | D9 =EB | cpuid=FPU
            FLDLG2 | D9 =EC | cpuid=FPU
            FLDLN2 | D9 =ED | cpuid=FPU
            FLDZ | D9 =EE | cpuid=FPU
            F2XM1 | D9 =F0 | cpuid=FPU
            FYL2X | D9 =F1 | cpuid=FPU
            FPTAN | D9 =F2 | cpuid=FPU
            FPATAN | D9 =F3 | cpuid=FPU
            FXTRACT | D9 =F4 | cpuid=FPU
            FPREM1 | D9 =F5 | cpuid=FPU
            FDECSTP | D9 =F6 | cpuid=FPU
            FINCSTP | D9 =F7 | cpuid=FPU
            FPREM | D9 =F8 | cpuid=FPU
            FYL2XP1 | D9 =F9 | cpuid=FPU
            FSQRT | D9 =FA | cpuid=FPU
            FSINCOS | D9 =FB | cpuid=FPU
            FRNDINT | D9 =FC | cpuid=FPU
            FSCALE | D9 =FD | cpuid=FPU
            FSIN | D9 =FE | cpuid=FPU
            FCOS | D9 =FF | cpuid=FPU
            FCMOVB ST0,Tt | DA /0 | cpuid=CMOV x87
            FCMOVE ST0,Tt | DA /1 | cpuid=CMOV x87
            FCMOVBE ST0,Tt | DA /2 | cpuid=CMOV x87
            FCMOVU ST0,Tt | DA /3 | cpuid=CMOV x87
            FUCOMPP | DA =E9 | cpuid=FPU
            FILD Md | DB /0 | cpuid=FPU
            FISTTP Md | DB /1 | cpuid=SSE3 x87
            FIST Md | DB /2 | cpuid=FPU
            FISTP Md | DB /3 | cpuid=FPU
            FLD Mt | DB /5 | cpuid=FPU
            FSTP Mt | DB /7 | cpuid=FPU
            FCMOVNB ST0,Tt | DB /0 | cpuid=CMOV x87
            FCMOVNE ST0,Tt | DB /1 | cpuid=CMOV x87
            FCMOVNBE ST0,Tt | DB /2 | cpuid=CMOV x87
            FCMOVNU ST0,Tt | DB /3 | cpuid=CMOV x87
            FNENI | DB =E0 | cpuid=FPU undoc
            FNDISI | DB =E1 | cpuid=FPU undoc
            FNCLEX | DB =E2 | cpuid=FPU
            FNINIT | DB =E3 | cpuid=FPU
            FNSETPM | DB =E4 | cpuid=FPU undoc
            FUCOMI ST0,Tt | DB /5 | cpuid=FPU | 00Z0PC
            FCOMI ST0,Tt | DB /6 | cpuid=FPU | 00Z0PC
            FLD Mq | DD /0 | cpuid=FPU
            FISTTP Mq | DD /1 | cpuid=SSE3 x87
            FST Mq | DD /2 | cpuid=FPU
            FSTP Mq | DD /3 | cpuid=FPU
            FRSTOR Ma | DD /4 | cpuid=FPU
            FNSAVE Ma | DD /6 | cpuid=FPU
            FNSTSW Mw | DD /7 | cpuid=FPU
            FFREE Tt | DD /0 | cpuid=FPU
            FXCH Tt | DD /1 | cpuid=FPU undoc
            FST Tt | DD /2 | cpuid=FPU
            FSTP Tt | DD /3 | cpuid=FPU
            FUCOM Tt | DD /4 | cpuid=FPU
            FUCOMP Tt | DD /5 | cpuid=FPU
            FADDP Tt,ST0 | DE /0 | cpuid=FPU
            FMULP Tt,ST0 | DE /1 | cpuid=FPU
            FCOMP Tt | DE /2 | cpuid=FPU undoc
            FCOMPP | DE =D9 | cpuid=FPU
            FSUBRP Tt,ST0 | DE /4 | cpuid=FPU
            FSUBP Tt,ST0 | DE /5 | cpuid=FPU
            FDIVRP Tt,ST0 | DE /6 | cpuid=FPU
            FDIVP Tt,ST0 | DE /7 | cpuid=FPU
            FILD Mw | DF /0 | cpuid=FPU
            FISTTP Mw | DF /1 | cpuid=SSE3 x87
            FIST Mw | DF /2 | cpuid=FPU
            FISTP Mw | DF /3 | cpuid=FPU
            FBLD Mt | DF /4 | cpuid=FPU
            FILD Mq | DF /5 | cpuid=FPU
            FBSTP Mt | DF /6 | cpuid=FPU
            FISTP Mq | DF /7 | cpuid=FPU
            FFREEP Tt | DF /0 | cpuid=FPU
            FXCH Tt | DF /1 | cpuid=FPU undoc
            FSTP Tt | DF /2 | cpuid=FPU undoc
            FSTP Tt | DF /3 | cpuid=FPU undoc
            FNSTSW AX | DF =E0 | cpuid=FPU
            FUCOMIP ST0,Tt | DF /5 | cpuid=FPU | 00Z0PC
            FCOMIP ST0,Tt | DF /6 | cpuid=FPU | 00Z0PC
            FWAIT | 9B
            """;

    /** The six operations and two comparisons with ST0: of single, double and integer memory, and of a register. */
    private static String arithmetic() {
        var text = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            String name = ARITHMETIC[i];
            boolean compares = i == 2 || i == 3;
            String integer = "FI" + name.substring(1);
            text.append(name + " Md | D8 /" + i + " | cpuid=FPU\n")
                    .append(name + (compares ? " Tt" : " ST0,Tt") + " | D8 /" + i + " | cpuid=FPU\n")
                    .append(name + " Mq | DC /" + i + " | cpuid=FPU\n")
                    .append(integer + " Md | DA /" + i + " | cpuid=FPU\n")
                    .append(integer + " Mw | DE /" + i + " | cpuid=FPU\n");
            // the forms that write ST(i) swap subtraction and division with their reverses
            String reversed = i < 4 ? name : ARITHMETIC[i ^ 1];
            text.append(reversed + (compares ? " Tt" : " Tt,ST0") + " | DC /" + i + " | cpuid=FPU")
                    .append(compares ? " undoc\n" : "\n");
        }
        return text.toString();
    }
}
