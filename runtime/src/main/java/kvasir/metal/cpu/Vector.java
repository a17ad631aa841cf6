package kvasir.metal.cpu;

/** Exception vectors by their mnemonics. */
final class Vector {
    static final int DE = 0;
    static final int DB = 1;
    static final int NMI = 2;
    static final int BP = 3;
    static final int OF = 4;
    static final int BR = 5;
    static final int UD = 6;
    static final int NM = 7;
    static final int DF = 8;
    static final int TS = 10;
    static final int NP = 11;
    static final int SS = 12;
    static final int GP = 13;
    static final int PF = 14;
    static final int MF = 16;
    static final int AC = 17;
    static final int XM = 19;
    static final int VC = 29;

    private Vector() {}

    /** Whether the exception pushes an error code. */
    static boolean hasErrorCode(int vector) {
        return vector == DF || (vector >= TS && vector <= PF) || vector == AC || vector == 21 || vector == VC;
    }

    /** Contributory exceptions (Intel SDM, "Interrupt 8 - Double Fault Exception"). */
    static boolean contributory(int vector) {
        return vector == DE || (vector >= TS && vector <= GP);
    }
}
