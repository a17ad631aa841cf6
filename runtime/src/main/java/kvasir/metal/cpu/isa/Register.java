package kvasir.metal.cpu.isa;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A register as an operand.
 *
 * @param file which kind
 * @param number as encoded; for {@link File#HIGH} 0 to 3 are AH, CH, DH, BH
 */
public record Register(File file, int number) {
    /** Kinds of registers. */
    public enum File {
        BYTE(1),
        HIGH(1),
        WORD(2),
        DWORD(4),
        QWORD(8),
        SEGMENT(2),
        CONTROL(8),
        DEBUG(8),
        X87(10),
        MMX(8),
        XMM(16),
        YMM(32),
        IP(8);

        private final int bytes;

        File(int bytes) {
            this.bytes = bytes;
        }

        /** Bytes in a register of the kind. */
        public int bytes() {
            return bytes;
        }
    }

    private static final String[] LEGACY = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    private static final String[] LOW = {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"};
    private static final String[] HIGH = {"ah", "ch", "dh", "bh"};
    private static final String[] SEGMENTS = {"es", "cs", "ss", "ds", "fs", "gs"};
    private static final Map<String, Register> BY_NAME = byName();

    /** The general register of {@code bytes} bytes; a byte register is the low one. */
    public static Register general(int bytes, int number) {
        return new Register(
                switch (bytes) {
                    case 1 -> File.BYTE;
                    case 2 -> File.WORD;
                    case 4 -> File.DWORD;
                    case 8 -> File.QWORD;
                    default -> throw new IllegalArgumentException("general register of " + bytes + " bytes");
                },
                number);
    }

    /** The register called {@code name}, in lower case. */
    public static Optional<Register> named(String name) {
        return Optional.ofNullable(BY_NAME.get(name));
    }

    /** Whether it is a general register. */
    public boolean general() {
        return file.ordinal() <= File.QWORD.ordinal();
    }

    /** The name in Intel syntax. */
    public String name() {
        return switch (file) {
            case BYTE -> number < 8 ? LOW[number] : "r" + number + "b";
            case HIGH -> HIGH[number];
            case WORD -> number < 8 ? LEGACY[number] : "r" + number + "w";
            case DWORD -> number < 8 ? "e" + LEGACY[number] : "r" + number + "d";
            case QWORD -> number < 8 ? "r" + LEGACY[number] : "r" + number;
            case SEGMENT -> number < 6 ? SEGMENTS[number] : "seg" + number;
            case CONTROL -> "cr" + number;
            case DEBUG -> "dr" + number;
            case X87 -> "st" + number;
            case MMX -> "mm" + number;
            case XMM -> "xmm" + number;
            case YMM -> "ymm" + number;
            case IP -> "rip";
        };
    }

    private static Map<String, Register> byName() {
        var names = new HashMap<String, Register>();
        for (File file : File.values()) {
            int count = switch (file) {
                case HIGH -> 4;
                case SEGMENT -> 6;
                case X87, MMX -> 8;
                case IP -> 1;
                default -> 16;
            };
            for (int i = 0; i < count; i++) {
                var register = new Register(file, i);
                names.put(register.name(), register);
            }
        }
        return names;
    }
}
