package kvasir.metal.cpu.isa;

/**
 * What an operand of a row may be, as the SDM's opcode maps write it: a kind letter and a size code.
 *
 * <p>Kinds: {@code E} general register or memory (ModRM.rm), {@code R} general register (ModRM.rm), {@code M} memory,
 * {@code G} general register (ModRM.reg), {@code Z} general register (low opcode bits), {@code B} general register
 * (VEX.vvvv), {@code I} immediate, {@code J} relative target, {@code A} far pointer, {@code O} memory at an absolute
 * offset, {@code S} segment register, {@code C} control register, {@code D} debug register, {@code V} vector register
 * (ModRM.reg), {@code W} vector register or memory, {@code U} vector register (ModRM.rm), {@code H} vector register
 * (VEX.vvvv), {@code L} vector register (imm8[7:4]), {@code P} MMX (ModRM.reg), {@code Q} MMX or memory, {@code N} MMX
 * (ModRM.rm), {@code T} x87 stack register (ModRM.rm), {@code X} memory indexed by a vector register (VSIB; the sizes are
 * those of the register and of an element), {@code F} a fixed register, {@code 1} the constant one.
 *
 * <p>Sizes: {@code b w d q t dq qq} are 1, 2, 4, 8, 10, 16, 32 bytes; {@code v} the operand size; {@code z} the operand
 * size but at most 4; {@code y} 4, or 8 with REX.W or VEX.W; {@code n} 8 in 64-bit mode, else 4; {@code x} 16 or 32 by
 * VEX.L; {@code s} an immediate byte sign extended to the operand size; {@code p} a far pointer; {@code a} none (only
 * the address counts). {@code v/w} is one size for a register and another for memory.
 *
 * @param kind letter
 * @param size size code of a register or immediate
 * @param memorySize size code of memory
 * @param fixed name of the fixed register, {@code rax} for the accumulator of the operand size; empty otherwise
 */
record Spec(char kind, String size, String memorySize, String fixed) {
    static Spec parse(String text) {
        if (text.equals("1")) {
            return new Spec('1', "b", "b", "");
        }
        if (text.equals("rAX")) {
            return new Spec('F', "v", "v", "rax");
        }
        if (text.equals("eAX")) {
            return new Spec('F', "i", "i", "rax");
        }
        if (Register.named(text.toLowerCase(java.util.Locale.ROOT)).isPresent()) {
            return new Spec('F', "", "", text.toLowerCase(java.util.Locale.ROOT));
        }
        int slash = text.indexOf('/');
        String size = slash < 0 ? text.substring(1) : text.substring(1, slash);
        return new Spec(text.charAt(0), size, slash < 0 ? size : text.substring(slash + 1), "");
    }

    /** Whether the row has a ModRM byte because of this operand. */
    boolean usesModrm() {
        return "ERMGSCDVWUPQNTX".indexOf(kind) >= 0;
    }

    /** Whether ModRM.rm is this operand. */
    boolean usesRm() {
        return "ERMWUQNTX".indexOf(kind) >= 0;
    }

    boolean mayBeMemory() {
        return "EMWQOX".indexOf(kind) >= 0;
    }

    boolean mayBeRegister() {
        return kind != 'M' && kind != 'O' && kind != 'I' && kind != 'J' && kind != 'A' && kind != 'X' && kind != '1';
    }

    /** Bytes of a register or immediate. */
    int bytes(int operandSize, boolean wide, boolean bits64, boolean vector256) {
        return bytes(size, operandSize, wide, bits64, vector256);
    }

    /** Bytes of memory. */
    int memoryBytes(int operandSize, boolean wide, boolean bits64, boolean vector256) {
        return bytes(memorySize, operandSize, wide, bits64, vector256);
    }

    /** Bytes that an immediate takes in the code. */
    int immediateBytes(int operandSize) {
        return switch (size) {
            case "b", "s" -> 1;
            case "w" -> 2;
            case "d" -> 4;
            case "q" -> 8;
            case "z" -> Math.min(operandSize, 4);
            case "v" -> operandSize;
            default -> throw new IllegalStateException("immediate of size " + size);
        };
    }

    private static int bytes(String code, int operandSize, boolean wide, boolean bits64, boolean vector256) {
        return switch (code) {
            case "b" -> 1;
            case "w" -> 2;
            case "d" -> 4;
            case "q" -> 8;
            case "t" -> 10;
            case "dq" -> 16;
            case "qq" -> 32;
            case "v", "s", "z" -> operandSize;
            case "y" -> wide ? 8 : 4;
            case "i" -> Math.min(operandSize, 4);
            case "n" -> bits64 ? 8 : 4;
            case "x" -> vector256 ? 32 : 16;
            case "p" -> operandSize + 2;
            case "a" -> 0;
            default -> throw new IllegalStateException("size code " + code);
        };
    }

    @Override
    public String toString() {
        return switch (kind) {
            case '1' -> "1";
            case 'F' -> fixed;
            case 'I' -> size.equals("s") ? "imm8" : "imm" + bits(size);
            case 'J' -> "rel" + bits(size);
            case 'A' -> "ptr16:" + bits(size);
            case 'O' -> "[offset]";
            case 'S' -> "sreg";
            case 'C' -> "cr";
            case 'D' -> "dr";
            case 'M' -> "m" + bits(memorySize);
            case 'E' -> "r/m" + bits(memorySize);
            case 'V', 'U', 'H', 'L' -> vector();
            case 'W' -> vector() + "/m" + bits(memorySize);
            case 'X' -> "vm" + bits(memorySize) + (size.equals("qq") ? "y" : "x");
            case 'P', 'N' -> "mm";
            case 'Q' -> "mm/m" + bits(memorySize);
            case 'T' -> "st(i)";
            default -> "r" + bits(size);
        };
    }

    private String vector() {
        return size.equals("qq") ? "ymm" : "xmm";
    }

    private static String bits(String code) {
        return switch (code) {
            case "b" -> "8";
            case "w" -> "16";
            case "d" -> "32";
            case "q" -> "64";
            case "t" -> "80";
            case "dq" -> "128";
            case "qq" -> "256";
            case "v" -> "16/32/64";
            case "z" -> "16/32";
            case "y", "n" -> "32/64";
            case "x" -> "128/256";
            default -> "";
        };
    }
}
