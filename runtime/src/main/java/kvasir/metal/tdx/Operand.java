package kvasir.metal.tdx;

/** Operand ids in the low 32 bits of a completion status (TDX ABI). Ids 0 to 15 are the registers in x86 order. */
public final class Operand {
    public static final int RAX = 0;
    public static final int RCX = 1;
    public static final int RDX = 2;
    public static final int RBX = 3;
    public static final int RSP = 4;
    public static final int RBP = 5;
    public static final int RSI = 6;
    public static final int RDI = 7;
    public static final int R8 = 8;
    public static final int R9 = 9;
    public static final int R10 = 10;
    public static final int R11 = 11;
    public static final int R12 = 12;
    public static final int R13 = 13;
    public static final int R14 = 14;
    public static final int R15 = 15;

    public static final int ATTRIBUTES = 64;
    public static final int XFAM = 65;
    public static final int EXEC_CONTROLS = 66;
    public static final int EPTP_CONTROLS = 67;
    public static final int MAX_VCPUS = 68;
    public static final int CPUID_CONFIG = 69;
    public static final int TSC_FREQUENCY = 70;
    public static final int NUM_L2_VMS = 71;
    public static final int IA32_ARCH_CAPABILITIES_CONFIG = 72;
    public static final int TDR = 128;
    public static final int SEPT_TREE = 146;
    public static final int RTMR = 168;
    public static final int TD_EPOCH = 169;
    public static final int OP_STATE = 172;
    public static final int SYS = 184;
    public static final int KOT = 186;
    public static final int KET = 187;
    public static final int WBCACHE = 188;

    private static final String[] REGISTERS = {
        "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"
    };

    private Operand() {}

    /** The name of an operand id, or its number. */
    public static String name(int id) {
        return switch (id) {
            case ATTRIBUTES -> "ATTRIBUTES";
            case XFAM -> "XFAM";
            case EXEC_CONTROLS -> "EXEC_CONTROLS";
            case EPTP_CONTROLS -> "EPTP_CONTROLS";
            case MAX_VCPUS -> "MAX_VCPUS";
            case CPUID_CONFIG -> "CPUID_CONFIG";
            case TSC_FREQUENCY -> "TSC_FREQUENCY";
            case NUM_L2_VMS -> "NUM_L2_VMS";
            case IA32_ARCH_CAPABILITIES_CONFIG -> "IA32_ARCH_CAPABILITIES_CONFIG";
            case TDR -> "TDR";
            case SEPT_TREE -> "SEPT_TREE";
            case RTMR -> "RTMR";
            case TD_EPOCH -> "TD_EPOCH";
            case OP_STATE -> "OP_STATE";
            case SYS -> "SYS";
            case KOT -> "KOT";
            case KET -> "KET";
            case WBCACHE -> "WBCACHE";
            default -> id >= 0 && id < REGISTERS.length ? REGISTERS[id] : Integer.toUnsignedString(id);
        };
    }
}
